"""A real SMTP server for tests: writes each message to a folder, with its envelope.

Arguments: port, folder, and for encryption "none", "starttls" or "tls" with a certificate and a key.
Signing in is asked for wherever the connection is encrypted. Recipients that begin with "nobody" are refused, and
those that begin with "later" are put off.
"""

import json
import pathlib
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

port, folder, encryption = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]


class Sink:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = f"{self.count:04}.json"
        self.count += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": session.auth_data,
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "text": envelope.content.decode("utf-8"),
        }
        unfinished = folder / (name + ".unfinished")
        unfinished.write_text(json.dumps(kept))
        unfinished.rename(folder / name)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"wardline", b"very-secret-text-0123456789")
    return AuthResult(success=good, handled=False, auth_data=data.login.decode() if good else None)


context = None
if encryption != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[4], sys.argv[5])


class Server(Controller):
    def factory(self):
        options = {"authenticator": authenticate, "enable_SMTPUTF8": True}
        if encryption == "starttls":
            options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
        elif encryption == "tls":
            options |= {"auth_require_tls": False, "auth_required": True}
        return SMTP(self.handler, **options)


server = Server(Sink(), hostname="127.0.0.1", port=port, ssl_context=context if encryption == "tls" else None)
server.start()
while True:
    time.sleep(3600)
