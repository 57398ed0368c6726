"""A mail server for tests: takes mails at 127.0.0.1 and writes each to a file of DIR/mails.

    server.py DIR PORT none|starttls|tls [USER PASSWORD]

DIR has cert.pem and key.pem; DIR/port is made when it listens. What it does with a mail, DIR/mode says: `hold` writes it down and
answers only when the mode is another; `refuse` refuses recipients for good, `later` for now. It ends when its standard input does.
"""

import asyncio
import base64
import json
import os
import ssl
import sys

from aiosmtpd.smtp import AuthResult, SMTP

directory, port, security, *login = sys.argv[1:]


def mode():
    try:
        with open(os.path.join(directory, "mode")) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode() == "refuse":
            return "550 5.1.1 no such user here"
        if mode() == "later":
            return "451 4.7.1 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        path = os.path.join(directory, "mails", f"{os.getpid():08}-{Handler.count:05}.json")
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": base64.b64encode(envelope.content).decode(),
            "tls": session.ssl is not None or security == "tls",
            "login": session.auth_data.decode() if session.auth_data else None,
        }
        with open(path + ".new", "w") as file:
            json.dump(mail, file)
        os.rename(path + ".new", path)
        while mode() == "hold":
            await asyncio.sleep(0.02)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = [data.login.decode(), data.password.decode()] == login
    return AuthResult(success=right, handled=right, auth_data=data.login if right else None)


context = None
if security != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem"))


def factory():
    return SMTP(
        Handler(),
        hostname="mail.test",
        require_starttls=security == "starttls",
        tls_context=context if security == "starttls" else None,
        authenticator=authenticate if login else None,
        auth_required=bool(login),
        auth_require_tls=security == "starttls",
    )


async def main():
    loop = asyncio.get_running_loop()
    wrapper = context if security == "tls" else None
    server = await loop.create_server(factory, "127.0.0.1", int(port), ssl=wrapper)
    new = os.path.join(directory, "port.new")
    with open(new, "w") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    os.rename(new, os.path.join(directory, "port"))
    # Until nobody holds the other end any more.
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
