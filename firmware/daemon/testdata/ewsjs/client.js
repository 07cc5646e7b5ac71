// Finds the board from an e-mail address with ews-javascript-api, and calls its telephone
// operations. Usage: node client.js PORT ADDRESS PASSWORD ITEM AUTHENTICATION; the board is
// autodiscover.example.test, ITEM is a message of the user's.
const assert = require('node:assert')
const dns = require('node:dns')
const net = require('node:net')
const ews = require('ews-javascript-api')
const { XhrApi } = require('@ewsjs/xhr')

const [port, address, password, item, authentication] = process.argv.slice(2)
const board = 'autodiscover.example.test'

// What DNS would say, and the board's port for 443.
dns.lookup = (host, options, done) => {
  if (typeof options === 'function') [options, done] = [{}, options]
  if (host !== board) return done(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }))
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
}
const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0]
  if (options && options.port === 443) options.port = Number(port)
  return connect.apply(this, args)
}

// The telephone operations, of which the library has only the names.
class Answer extends ews.ServiceResponse {
  ReadElementsFromXmlJsObject(response) { this.answer = response }
}
class Telephone extends ews.SimpleServiceRequestBase {
  constructor(service, operation, children) {
    super(service)
    Object.assign(this, { operation, children })
  }
  GetMinimumRequiredServerVersion() { return ews.ExchangeVersion.Exchange2010 }
  GetXmlElementName() { return this.operation }
  GetResponseXmlElementName() { return this.operation + 'Response' }
  WriteElementsToXml(writer) {
    for (const [name, attributes, text] of this.children) {
      writer.WriteStartElement(ews.XmlNamespace.Messages, name)
      for (const key in attributes) writer.WriteAttributeValue(key, attributes[key])
      if (text) writer.WriteValue(text, name)
      writer.WriteEndElement()
    }
  }
  ParseResponse(response) {
    const answer = new Answer()
    answer.LoadFromXmlJsObject(response, this.Service)
    return answer
  }
  async Execute() {
    const answer = await this.InternalExecute()
    answer.ThrowIfNecessary()
    return answer.answer
  }
}

const refused = async (promise) => promise.then(() => assert.fail('not refused'), (error) => error)

async function main() {
  if (authentication === 'NTLM') {
    ews.ConfigurationApi.ConfigureXHR(new XhrApi({ rejectUnauthorized: true }).useNtlmAuthentication(address, password))
  }
  const credentials = new ews.WebCredentials(address, password)
  const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2010_SP2)
  service.Credentials = credentials
  await service.AutodiscoverUrl(address, () => true)
  assert.equal(service.Url.ToString(), `https://${board}/EWS/Exchange.asmx`)

  const discover = new ews.AutodiscoverService(new ews.Uri(`https://${board}/autodiscover/autodiscover.svc`), ews.ExchangeVersion.Exchange2010)
  discover.Credentials = credentials
  const { responses: [user] } = await discover.GetUserSettings([address], [ews.UserSettingName.ExternalUMUrl, ews.UserSettingName.CasVersion])
  assert.equal(user.Settings.get(ews.UserSettingName.ExternalUMUrl), `https://${board}/EWS/UM2007Legacy.asmx`)
  assert.equal(user.UserSettingErrors[0].SettingName, 'CasVersion')

  const ask = (operation, ...children) => new Telephone(service, operation, children).Execute()
  const play = (...children) => ask('PlayOnPhone', ...children)
  const { PhoneCallId } = await play(['ItemId', { Id: item }], ['DialString', {}, '5550102'])
  const call = ['PhoneCallId', { Id: PhoneCallId.Id }]
  const state = async () => (await ask('GetPhoneCallInformation', call)).PhoneCallInformation.PhoneCallState
  assert.equal(await state(), 'Connecting') // it rings for ever
  await ask('DisconnectPhoneCall', call)
  assert.equal(await state(), 'Disconnected')

  const none = ['PhoneCallId', { Id: 'bm9uZQ==' }]
  let error = await refused(play(['ItemId', { Id: 'bm9uZQ==' }], ['DialString', {}, '5550102']))
  assert.equal(error.ErrorCode, ews.ServiceError.ErrorInvalidIdMalformed)
  error = await refused(ask('GetPhoneCallInformation', none))
  assert.equal(error.ErrorCode, ews.ServiceError.ErrorInvalidPhoneCallId)
  assert.equal(error.Message, "The phone call ID isn't valid")
  error = await refused(ask('DisconnectPhoneCall', none))
  assert.equal(error.ErrorCode, ews.ServiceError.ErrorInvalidPhoneCallId)
  error = await refused(play(['DialString', {}, '5550102']))
  assert.equal(error.ResponseCode, ews.ServiceError.ErrorSchemaValidation)
  assert.equal(error.LineNumber, 1)
  error = await refused(service.GetRoomLists())
  assert.match(error.message, /the operation GetRoomLists is not supported/)
  console.log('the board is found, and works')
}
main()
