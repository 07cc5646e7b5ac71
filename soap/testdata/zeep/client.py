"""Reads the WSDL of both services and calls every operation through it, strictly.

Usage: client.py URL
"""
import sys

import zeep
from zeep.exceptions import Fault

base = sys.argv[1]


def same(want, got):
    if want != got:
        raise SystemExit(f"want {want!r}, got {got!r}")


def fault(call):
    try:
        call()
    except Fault as f:
        return f
    raise SystemExit("no fault")


client = zeep.Client(base + "/EWS/UM2007Legacy.asmx?wsdl", settings=zeep.Settings(strict=True))
um = client.service
same(11, len(client.service._operations))
same(True, um.IsUMEnabled())
same("2077", um.GetUMProperties().PlayOnPhoneDialString)
call = um.PlayOnPhone(entryId="AAAAAEl0ZW1JZEV4YW1wbGU=", DialString="2077")
same(call, um.PlayOnPhoneGreeting(GreetingType="OofCustom", DialString="2077"))
info = um.GetCallInfo(CallId=call)
same(("Disconnected", "UserBusy"), (info.CallState, info.EventCause))
um.Disconnect(CallId=call)
um.SetOofStatus(status=True)
um.SetMissedCallNotificationEnabled(status=False)
um.SetPlayOnPhoneDialString(dialString="2078")
um.SetTelephoneAccessFolderEmail(base64FolderID="QUJD")
um.ResetPIN()
properties = um.GetUMProperties()
same((True, False, "2078", "+15555550100", "QUJD"), (
    properties.OofStatus, properties.MissedCallNotificationEnabled, properties.PlayOnPhoneDialString,
    properties.TelephoneAccessNumbers, properties.TelephoneAccessFolderEmail))
f = fault(lambda: um.GetCallInfo(CallId=""))
same("The call identifier isn't valid.", f.message)
same("InvalidCallIdException", "".join(f.detail.itertext()).strip())

client = zeep.Client(base + "/EWS/Exchange.asmx?wsdl", settings=zeep.Settings(strict=True))
ews = client.service
played = ews.PlayOnPhone(ItemId={"Id": "AAMkAGI2TExample="}, DialString="+15555550123")
played = getattr(played, "body", played)
same(("Success", "NoError", call), (played.ResponseClass, played.ResponseCode, played.PhoneCallId.Id))
info = ews.GetPhoneCallInformation(PhoneCallId={"Id": call})
info = getattr(info, "body", info).PhoneCallInformation
same(("Disconnected", "UserBusy"), (info.PhoneCallState, info.ConnectionFailureCause))
ended = ews.DisconnectPhoneCall(PhoneCallId={"Id": call})
same("NoError", getattr(ended, "body", ended).ResponseCode)
none = ews.DisconnectPhoneCall(PhoneCallId={"Id": ""})
same(("Error", "ErrorInvalidPhoneCallId"), (getattr(none, "body", none).ResponseClass, getattr(none, "body", none).ResponseCode))
answer = ews.GetServiceConfiguration(RequestedConfiguration={"ConfigurationName": ["UnifiedMessagingConfiguration"]})
one = getattr(answer, "body", answer).ResponseMessages.ServiceConfigurationResponseMessageType[0]
same((True, "2078"), (one.UnifiedMessagingConfiguration.UmEnabled, one.UnifiedMessagingConfiguration.PlayOnPhoneDialString))

print("all operations work")
