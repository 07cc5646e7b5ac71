// A server of the unified-messaging service as gSOAP makes it from our WSDL, and as its
// documentation advises: a thread a connection, connections kept alive. It rings nobody: it
// looks a call up, and says what it is. Its port is the first argument.
#include "soapUnifiedMessagingBindingService.h"
#include "UnifiedMessagingBinding.nsmap"

#include <map>
#include <mutex>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static std::mutex guard;
static std::map<std::string, ewsmsg__UMCallState> calls;

class Server : public UnifiedMessagingBindingService {
public:
	Server() : UnifiedMessagingBindingService(SOAP_IO_KEEPALIVE | SOAP_C_UTFSTRING) {}
	UnifiedMessagingBindingService *copy() override {
		auto *one = new Server; // as the one that gSOAP makes for its own class
		soap_done(one->soap);
		soap_copy_context(one->soap, soap);
		return one;
	}

	int PlayOnPhone(_ewsmsg__PlayOnPhone *in, _ewsmsg__PlayOnPhoneResponse &out) override {
		if (in->entryId.empty() || in->DialString.empty())
			return soap_senderfault("empty", NULL);
		out.PlayOnPhoneResponse = "M2Y4YzFhZWMtM2VkNC00YjJhLWE4YzctZmFjOTM0ZGVjY2JmQHBob25l";
		std::lock_guard<std::mutex> lock(guard);
		calls[out.PlayOnPhoneResponse] = ewsmsg__UMCallState__Connected;
		return SOAP_OK;
	}
	int GetCallInfo(_ewsmsg__GetCallInfo *in, _ewsmsg__GetCallInfoResponse &out) override {
		out.GetCallInfoResponse = soap_new_ewsmsg__UMCallInfo(soap);
		std::lock_guard<std::mutex> lock(guard);
		auto call = calls.find(in->CallId);
		out.GetCallInfoResponse->CallState = call == calls.end() ? ewsmsg__UMCallState__Connected : call->second;
		out.GetCallInfoResponse->EventCause = ewsmsg__UMEventCause__None;
		return SOAP_OK;
	}
	int Disconnect(_ewsmsg__Disconnect *in, _ewsmsg__DisconnectResponse &) override {
		std::lock_guard<std::mutex> lock(guard);
		calls.erase(in->CallId);
		return SOAP_OK;
	}
	int GetUMProperties(_ewsmsg__GetUMProperties *, _ewsmsg__GetUMPropertiesResponse &) override { return SOAP_NO_METHOD; }
	int IsUMEnabled(_ewsmsg__IsUMEnabled *, _ewsmsg__IsUMEnabledResponse &) override { return SOAP_NO_METHOD; }
	int PlayOnPhoneGreeting(_ewsmsg__PlayOnPhoneGreeting *, _ewsmsg__PlayOnPhoneGreetingResponse &) override { return SOAP_NO_METHOD; }
	int ResetPIN(_ewsmsg__ResetPIN *, _ewsmsg__ResetPINResponse &) override { return SOAP_NO_METHOD; }
	int SetMissedCallNotificationEnabled(_ewsmsg__SetMissedCallNotificationEnabled *, _ewsmsg__SetMissedCallNotificationEnabledResponse &) override { return SOAP_NO_METHOD; }
	int SetOofStatus(_ewsmsg__SetOofStatus *, _ewsmsg__SetOofStatusResponse &) override { return SOAP_NO_METHOD; }
	int SetPlayOnPhoneDialString(_ewsmsg__SetPlayOnPhoneDialString *, _ewsmsg__SetPlayOnPhoneDialStringResponse &) override { return SOAP_NO_METHOD; }
	int SetTelephoneAccessFolderEmail(_ewsmsg__SetTelephoneAccessFolderEmail *, _ewsmsg__SetTelephoneAccessFolderEmailResponse &) override { return SOAP_NO_METHOD; }
};

int main(int argc, char **argv) {
	Server server;
	server.soap->bind_flags = SO_REUSEADDR;
	server.soap->max_keep_alive = 1 << 30;
	if (argc < 2 || !soap_valid_socket(server.bind("127.0.0.1", atoi(argv[1]), 256))) {
		server.soap_print_fault(stderr);
		return 1;
	}
	for (;;) {
		SOAP_SOCKET connection = server.accept();
		if (!soap_valid_socket(connection))
			return 1;
		int on = 1;
		setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		auto *one = static_cast<Server *>(server.copy());
		std::thread([one] {
			one->serve();
			one->destroy();
			delete one;
		}).detach();
	}
}
