// Calls every EWS operation through what wsdl2h and soapcpp2 make of the WSDL.
// Usage: ews URL CALLID
#include "ExchangeServiceBinding.nsmap"
#include "soapExchangeServiceBindingProxy.h"

#include <cstdlib>
#include <iostream>
#include <string>

static ExchangeServiceBindingProxy *ews;

static void check(bool ok, const char *what) {
	if (ok)
		return;
	std::cerr << what << " failed\n";
	ews->soap_stream_fault(std::cerr);
	std::exit(1);
}

int main(int argc, char **argv) {
	ews = new ExchangeServiceBindingProxy(argv[1]);
	std::string id = argv[2];
	_ewstype__RequestServerVersion version;
	version.Version = ewstype__ExchangeVersionType__Exchange2010;

	ewstype__ItemIdType item;
	item.Id = "AAMkAGI2TExample=";
	ewsmsg__PlayOnPhoneType play;
	play.ItemId = &item;
	play.DialString = "+15555550123";
	__ewsmsg__PlayOnPhoneResponse played;
	ews->soap_header(nullptr, nullptr, &version, nullptr);
	check(ews->PlayOnPhone(&play, played) == SOAP_OK && played.ewsmsg__PlayOnPhoneResponse->PhoneCallId->Id == id, "PlayOnPhone");
	check(ews->soap_header() && *ews->soap_header()->ewstype__ServerVersionInfo->MajorVersion == 14, "ServerVersionInfo");

	ewstype__PhoneCallIdType call;
	call.Id = id;
	ewsmsg__GetPhoneCallInformationType ask;
	ask.PhoneCallId = &call;
	__ewsmsg__GetPhoneCallInformationResponse info;
	ews->soap_header(nullptr, nullptr, &version, nullptr);
	check(ews->GetPhoneCallInformation(&ask, info) == SOAP_OK, "GetPhoneCallInformation");
	auto told = info.ewsmsg__GetPhoneCallInformationResponse->PhoneCallInformation;
	check(told->PhoneCallState == ewstype__PhoneCallStateType__Disconnected &&
	          told->ConnectionFailureCause == ewstype__ConnectionFailureCauseType__UserBusy && *told->SIPResponseCode == 486,
	      "PhoneCallInformation");

	ewsmsg__DisconnectPhoneCallType disconnect;
	disconnect.PhoneCallId = &call;
	__ewsmsg__DisconnectPhoneCallResponse disconnected;
	ews->soap_noheader();
	check(ews->DisconnectPhoneCall(&disconnect, disconnected) == SOAP_OK &&
	          disconnected.ewsmsg__DisconnectPhoneCallResponse->ResponseClass == ewsmsg__ResponseClassType__Success,
	      "DisconnectPhoneCall");
	call.Id = "";
	check(ews->DisconnectPhoneCall(&disconnect, disconnected) == SOAP_OK &&
	          *disconnected.ewsmsg__DisconnectPhoneCallResponse->ResponseCode == ewsmsg__ResponseCodeType__ErrorInvalidPhoneCallId,
	      "the error of an unknown call");

	ewsmsg__ArrayOfServiceConfigurationType names;
	names.ConfigurationName.push_back(ewstype__ServiceConfigurationType__UnifiedMessagingConfiguration);
	ewsmsg__GetServiceConfigurationType configuration;
	configuration.RequestedConfiguration = &names;
	__ewsmsg__GetServiceConfigurationResponse configured;
	check(ews->GetServiceConfiguration(&configuration, configured) == SOAP_OK, "GetServiceConfiguration");
	auto um = configured.ewsmsg__GetServiceConfigurationResponse->ResponseMessages->ServiceConfigurationResponseMessageType[0]->UnifiedMessagingConfiguration;
	check(um->UmEnabled && um->PlayOnPhoneEnabled && um->PlayOnPhoneDialString == "2077", "UnifiedMessagingConfiguration");

	std::cout << "all operations work\n";
	delete ews;
}
