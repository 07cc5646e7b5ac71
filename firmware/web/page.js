// Shows the page anew whenever a line or a call changes.
'use strict'
let asked = false

async function show() {
  if (asked) return
  asked = true
  await new Promise(resolve => setTimeout(resolve, 200)) // changes come in groups
  asked = false
  const answer = await fetch('/')
  if (!answer.ok) return
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
  document.querySelector('main').replaceWith(fresh.querySelector('main'))
}

const events = new EventSource('/api/events')
events.addEventListener('line', show)
events.addEventListener('call', show)
events.onopen = () => { document.querySelector('#live').textContent = '' }
events.onerror = () => { document.querySelector('#live').textContent = 'The board does not answer; what you see may be old.' }
setInterval(show, 10000) // new messages are no event
