// Shows the page anew whenever a line or a call changes, and how an update goes.
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

const form = document.querySelector('#update')
form?.addEventListener('submit', async event => {
  event.preventDefault()
  const log = form.querySelector('pre')
  const file = form.archive.files[0]
  const request = file ? { method: 'PUT', body: file } : { method: 'POST', body: new URLSearchParams({ url: form.url.value }) }
  form.querySelector('button').disabled = true
  log.textContent = 'Sending …\n'
  try {
    const answer = await fetch('/api/update', request)
    const text = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for (let part = await text.read(); !part.done; part = await text.read()) log.textContent += part.value
  } catch (error) {
    log.textContent += 'ERROR: ' + error.message
  }
  form.querySelector('button').disabled = false
})
