// Calls every operation of the Unified Messaging service through what wsdl2h and soapcpp2
// make of its WSDL. Usage: um URL CALLID
#include "UnifiedMessagingBinding.nsmap"
#include "soapUnifiedMessagingBindingProxy.h"

#include <cstdlib>
#include <iostream>
#include <string>

static UnifiedMessagingBindingProxy *um;

static void check(bool ok, const char *what) {
	if (ok)
		return;
	std::cerr << what << " failed\n";
	um->soap_stream_fault(std::cerr);
	std::exit(1);
}

int main(int argc, char **argv) {
	um = new UnifiedMessagingBindingProxy(argv[1]);
	std::string id = argv[2];

	_ewsmsg__IsUMEnabled isEnabled;
	_ewsmsg__IsUMEnabledResponse enabled;
	check(um->IsUMEnabled(&isEnabled, enabled) == SOAP_OK && enabled.IsUMEnabledResponse, "IsUMEnabled");

	_ewsmsg__GetUMProperties get;
	_ewsmsg__GetUMPropertiesResponse properties;
	check(um->GetUMProperties(&get, properties) == SOAP_OK &&
	          properties.GetUMPropertiesResponse->PlayOnPhoneDialString == "2077" &&
	          properties.GetUMPropertiesResponse->MissedCallNotificationEnabled,
	      "GetUMProperties");

	_ewsmsg__PlayOnPhone play;
	play.entryId = "AAAAAEl0ZW1JZEV4YW1wbGU=";
	play.DialString = "2077";
	_ewsmsg__PlayOnPhoneResponse played;
	check(um->PlayOnPhone(&play, played) == SOAP_OK && played.PlayOnPhoneResponse == id, "PlayOnPhone");

	_ewsmsg__PlayOnPhoneGreeting greeting;
	greeting.GreetingType = ewsmsg__UMGreetingType__NormalCustom;
	greeting.DialString = "2077";
	_ewsmsg__PlayOnPhoneGreetingResponse greeted;
	check(um->PlayOnPhoneGreeting(&greeting, greeted) == SOAP_OK && greeted.PlayOnPhoneGreetingResponse == id, "PlayOnPhoneGreeting");

	_ewsmsg__GetCallInfo ask;
	ask.CallId = id;
	_ewsmsg__GetCallInfoResponse info;
	check(um->GetCallInfo(&ask, info) == SOAP_OK &&
	          info.GetCallInfoResponse->CallState == ewsmsg__UMCallState__Disconnected &&
	          info.GetCallInfoResponse->EventCause == ewsmsg__UMEventCause__UserBusy,
	      "GetCallInfo");

	_ewsmsg__Disconnect disconnect;
	disconnect.CallId = id;
	_ewsmsg__DisconnectResponse disconnected;
	check(um->Disconnect(&disconnect, disconnected) == SOAP_OK, "Disconnect");

	_ewsmsg__SetOofStatus oof;
	oof.status = true;
	_ewsmsg__SetOofStatusResponse oofSet;
	check(um->SetOofStatus(&oof, oofSet) == SOAP_OK, "SetOofStatus");

	_ewsmsg__SetMissedCallNotificationEnabled missed;
	missed.status = false;
	_ewsmsg__SetMissedCallNotificationEnabledResponse missedSet;
	check(um->SetMissedCallNotificationEnabled(&missed, missedSet) == SOAP_OK, "SetMissedCallNotificationEnabled");

	_ewsmsg__SetPlayOnPhoneDialString dial;
	dial.dialString = "2078";
	_ewsmsg__SetPlayOnPhoneDialStringResponse dialSet;
	check(um->SetPlayOnPhoneDialString(&dial, dialSet) == SOAP_OK, "SetPlayOnPhoneDialString");

	_ewsmsg__SetTelephoneAccessFolderEmail folder;
	folder.base64FolderID = "QUJD";
	_ewsmsg__SetTelephoneAccessFolderEmailResponse folderSet;
	check(um->SetTelephoneAccessFolderEmail(&folder, folderSet) == SOAP_OK, "SetTelephoneAccessFolderEmail");

	_ewsmsg__ResetPIN reset;
	_ewsmsg__ResetPINResponse pinReset;
	check(um->ResetPIN(&reset, pinReset) == SOAP_OK, "ResetPIN");

	check(um->GetUMProperties(&get, properties) == SOAP_OK &&
	          properties.GetUMPropertiesResponse->PlayOnPhoneDialString == "2078" &&
	          properties.GetUMPropertiesResponse->OofStatus,
	      "GetUMProperties afterwards");

	ask.CallId = "";
	check(um->GetCallInfo(&ask, info) == SOAP_FAULT &&
	          std::string(um->soap_fault_string()) == "The call identifier isn't valid.",
	      "the fault of an unknown call");

	std::cout << "all operations work\n";
	delete um;
}
