"""Posts a body with a login by NTLM of gss-ntlmssp, and prints the answer.

Usage: client.py SCHEME HOST:PORT USER PASSWORD BODY
"""
import base64
import hashlib
import http.client
import ssl
import sys

import gssapi
from gssapi.raw import ChannelBindings, acquire_cred_with_password

scheme, address, user, password, body = sys.argv[1:]
ntlm = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
name = gssapi.Name(user, gssapi.NameType.user)
login = acquire_cred_with_password(name, password.encode(), mechs=[ntlm], usage="initiate").creds

if scheme == "https":
    board = http.client.HTTPSConnection(address, context=ssl._create_unverified_context())
    board.connect()
    seen = hashlib.sha256(board.sock.getpeercert(True)).digest()
    channel = ChannelBindings(application_data=b"tls-server-end-point:" + seen)
else:
    board, channel = http.client.HTTPConnection(address), None

client = gssapi.SecurityContext(
    name=gssapi.Name("HTTP@board", gssapi.NameType.hostbased_service), creds=gssapi.Credentials(base=login),
    mech=ntlm, usage="initiate", flags=[gssapi.RequirementFlag.integrity], channel_bindings=channel)
token = client.step()
for _ in range(2):
    board.request("POST", "/", body, {"Authorization": "NTLM " + base64.b64encode(token).decode()})
    answer = board.getresponse()
    text = answer.read().decode()
    challenge = answer.getheader("WWW-Authenticate", "")
    if challenge.startswith("NTLM "):
        token = client.step(base64.b64decode(challenge[5:]))
print(answer.status, text if answer.status == 200 else "")
