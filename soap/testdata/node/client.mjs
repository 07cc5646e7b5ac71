// Reads the WSDL of both services and calls every operation through it.
// Usage: node client.mjs URL
import assert from 'node:assert/strict';
import soap from 'soap';

const base = process.argv[2];

const um = await soap.createClientAsync(base + '/EWS/UM2007Legacy.asmx?wsdl');
const call = async (client, operation, args, options) => (await client[operation + 'Async'](args, options))[0];

assert.deepEqual(await call(um, 'IsUMEnabled', {}), { IsUMEnabledResponse: true });
assert.deepEqual(await call(um, 'GetUMProperties', {}), {
  GetUMPropertiesResponse: {
    OofStatus: false,
    MissedCallNotificationEnabled: true,
    PlayOnPhoneDialString: '2077',
    TelephoneAccessNumbers: '+15555550100',
    TelephoneAccessFolderEmail: 'AAAAAFZvbGRlcklkRXhhbXBsZQ==',
  },
});
const { PlayOnPhoneResponse: callId } = await call(um, 'PlayOnPhone', { entryId: 'AAAAAEl0ZW1JZEV4YW1wbGU=', DialString: '2077' });
assert.match(callId, /^[A-Za-z0-9+/]+=*$/);
assert.deepEqual(await call(um, 'GetCallInfo', { CallId: callId }), {
  GetCallInfoResponse: { CallState: 'Disconnected', EventCause: 'UserBusy' },
});
assert.equal((await call(um, 'PlayOnPhoneGreeting', { GreetingType: 'OofCustom', DialString: '2077' })).PlayOnPhoneGreetingResponse, callId);
assert.equal(await call(um, 'Disconnect', { CallId: callId }), null);
assert.equal(await call(um, 'SetOofStatus', { status: true }), null);
assert.equal(await call(um, 'SetMissedCallNotificationEnabled', { status: false }), null);
assert.equal(await call(um, 'SetPlayOnPhoneDialString', { dialString: '2078' }), null);
assert.equal(await call(um, 'SetTelephoneAccessFolderEmail', { base64FolderID: 'QUJD' }), null);
assert.equal(await call(um, 'ResetPIN', {}), null);
const changed = (await call(um, 'GetUMProperties', {})).GetUMPropertiesResponse;
assert.equal(changed.OofStatus, true);
assert.equal(changed.PlayOnPhoneDialString, '2078');
await assert.rejects(call(um, 'PlayOnPhoneGreeting', { GreetingType: 'None', DialString: '2077' }), /ErrorInvalidRequest: The request is invalid/);

const ews = await soap.createClientAsync(base + '/EWS/Exchange.asmx?wsdl');
ews.addSoapHeader('<t:RequestServerVersion Version="Exchange2010"/>');
const played = await call(ews, 'PlayOnPhone', { ItemId: { attributes: { Id: 'AAMkAGI2TExample=' } }, DialString: '+15555550123' });
assert.equal(played.attributes.ResponseClass, 'Success');
assert.equal(played.PhoneCallId.attributes.Id, callId);
const id = { PhoneCallId: { attributes: { Id: callId } } };
const info = await call(ews, 'GetPhoneCallInformation', id);
assert.deepEqual(info.PhoneCallInformation, {
  PhoneCallState: 'Disconnected',
  ConnectionFailureCause: 'UserBusy',
  SIPResponseText: 'Busy Here',
  SIPResponseCode: 486,
});
assert.equal((await call(ews, 'DisconnectPhoneCall', id)).ResponseCode, 'NoError');
const none = await call(ews, 'DisconnectPhoneCall', { PhoneCallId: { attributes: { Id: '' } } });
assert.equal(none.attributes.ResponseClass, 'Error');
assert.equal(none.ResponseCode, 'ErrorInvalidPhoneCallId');
const configuration = await call(ews, 'GetServiceConfiguration', { RequestedConfiguration: { ConfigurationName: ['UnifiedMessagingConfiguration'] } });
assert.deepEqual(configuration.ResponseMessages.ServiceConfigurationResponseMessageType[0].UnifiedMessagingConfiguration, {
  UmEnabled: true,
  PlayOnPhoneDialString: '2078',
  PlayOnPhoneEnabled: true,
});
await assert.rejects(call(ews, 'PlayOnPhone', { DialString: '1' }), /ErrorSchemaValidation/);

console.log('all operations work');
