"""Finds the board from an e-mail address with exchangelib, and calls its telephone operations.

Usage: client.py PORT ADDRESS PASSWORD ITEM AUTHENTICATION; the board is
autodiscover.example.test, ITEM is a message of the user's.
"""
import socket
import sys

import dns.resolver
from exchangelib import Account, Credentials
from exchangelib.autodiscover import clear_cache
from exchangelib.autodiscover.discovery import pox, soap
from exchangelib.errors import (
    ErrorInvalidIdMalformed, ErrorInvalidPhoneCallId, ErrorInvalidServerVersion, ErrorNonExistentMailbox)
from exchangelib.protocol import FailFast
from exchangelib.services import GetRoomLists
from exchangelib.services.common import EWSService
from exchangelib.util import MNS, TNS, create_element

port, address, password, item, authentication = int(sys.argv[1]), *sys.argv[2:]
board = "autodiscover.example.test"
lookup = socket.getaddrinfo


def getaddrinfo(host, service, *more, **named):
    """What DNS would say, and the board's port for 443."""
    if host != board:
        raise socket.gaierror(socket.EAI_NONAME, host)
    return lookup("127.0.0.1", port, *more, **named)


def resolve(self, name, *more, **named):
    if name.rstrip(".") != board:
        raise dns.resolver.NXDOMAIN
    return []


socket.getaddrinfo = getaddrinfo
dns.resolver.Resolver.resolve = resolve


def same(want, got):
    if want != got:
        raise SystemExit(f"want {want!r}, got {got!r}")


def refused(error, call):
    try:
        call()
    except error as e:
        return str(e)
    raise SystemExit(f"no {error.__name__}")


# The telephone operations, which exchangelib does not have, in its own manner.
class Telephone(EWSService):
    element_container_name = None

    def call(self, *children):
        request = create_element(f"m:{self.SERVICE_NAME}")
        for name, attributes, text in children:
            child = create_element(f"m:{name}", attrs=attributes)
            child.text = text
            request.append(child)
        return next(iter(self._get_elements(payload=request)))

    def _get_elements_in_container(self, container):
        return [container]


class PlayOnPhone(Telephone):
    SERVICE_NAME = "PlayOnPhone"


class GetPhoneCallInformation(Telephone):
    SERVICE_NAME = "GetPhoneCallInformation"


class DisconnectPhoneCall(Telephone):
    SERVICE_NAME = "DisconnectPhoneCall"


endpoint = f"https://{board}/EWS/Exchange.asmx"
for way in pox, soap:
    clear_cache()
    found, protocol = way.discover(address, credentials=Credentials(address, password), retry_policy=FailFast())
    same(address, found.autodiscover_smtp_address)
    same(endpoint, protocol.service_endpoint)

clear_cache()
refused(ErrorNonExistentMailbox, lambda: pox.discover("nobody@example.test", credentials=Credentials(address, password)))
account = Account(address, credentials=Credentials(address, password), autodiscover=True)
same("Microsoft Exchange Server 2010 SP3", account.version.fullname)

same(authentication, account.protocol.auth_type)

played = PlayOnPhone(account.protocol).call(("ItemId", {"Id": item}, None), ("DialString", {}, "5550102"))
call = ("PhoneCallId", dict(played.find(f"{{{MNS}}}PhoneCallId").attrib), None)


def state():
    return GetPhoneCallInformation(account.protocol).call(call).findtext(f".//{{{TNS}}}PhoneCallState")


same("Connecting", state())  # it rings for ever
DisconnectPhoneCall(account.protocol).call(call)
same("Disconnected", state())

none = {"Id": "bm9uZQ=="}
answer = PlayOnPhone(account.protocol).call(("ItemId", none, None), ("DialString", {}, "5550102"))
same(ErrorInvalidIdMalformed, type(answer))  # this one exchangelib returns
why = refused(ErrorInvalidPhoneCallId, lambda: GetPhoneCallInformation(account.protocol).call(("PhoneCallId", none, None)))
same("The phone call ID isn't valid", why)
refused(ErrorInvalidServerVersion, lambda: list(GetRoomLists(account.protocol).call()))  # which we don't have in any version
print("the board is found, and works")
