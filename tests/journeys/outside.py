"""What lies outside the house: a mail server that can stall, and the trackers' doubles."""

import asyncio
import threading

from aiosmtpd.controller import Controller

from tests.processes import free_port
from tests.triage.trackers.test_doubles import Double

CREATE = {"jira": "createIssue", "linear": "issueCreate"}
COMMENT = {"jira": "addComment", "linear": "commentCreate"}


class MailServer:
    """A real SMTP server. `mails` is what it took: (address, text), an answer lost or not.

    `stall("RCPT")` makes the next conversation wait before the message was handed over,
    `stall("DATA")` after it was taken and before that was said; `is_holding` says that one waits.
    """

    def __init__(self):
        self.mails: list[tuple[str, str]] = []
        self.is_holding = threading.Event()
        self._stalls_at, self._may_go_on = "", threading.Event()

    def __enter__(self) -> "MailServer":
        port = free_port()  # aiosmtpd looks for its server under the port it was given
        self.url = f"smtp://127.0.0.1:{port}"
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()
        return self

    def __exit__(self, *error) -> None:
        self.let_go()
        self._controller.stop()

    def stall(self, at: str) -> None:
        self.is_holding.clear()
        self._may_go_on.clear()
        self._stalls_at = at

    def let_go(self) -> None:
        self._stalls_at = ""
        self._may_go_on.set()

    def to(self, *addresses: str) -> list[str]:
        """The texts of the mails to these addresses."""
        return [text for address, text in self.mails if address in addresses]

    async def handle_RCPT(self, server, session, envelope, address, options):
        await self._wait("RCPT")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos[0], envelope.content.decode()))
        await self._wait("DATA")
        return "250 OK"

    async def _wait(self, at: str) -> None:
        if self._stalls_at == at:
            self._stalls_at = ""
            self.is_holding.set()
            await asyncio.get_running_loop().run_in_executor(None, self._may_go_on.wait, 60)


class Trackers:
    """The doubles of Jira and Linear, under way."""

    def __enter__(self) -> "Trackers":
        self.doubles: dict[str, Double] = {}
        try:
            for name in CREATE:
                self.doubles[name] = Double(f"{name}.py")
        except BaseException:
            self.__exit__()
            raise
        self.doubles["jira"].admin("config", {"index_lag_s": 0})
        return self

    def __exit__(self, *error) -> None:
        for double in self.doubles.values():
            double.stop()

    @property
    def hosts(self) -> str:
        return ",".join(double.host for double in self.doubles.values())

    @property
    def urls(self) -> dict[str, str]:
        return {name: double.url for name, double in self.doubles.items()}

    def fault(self, operations: dict[str, str], **what) -> None:
        for name, double in self.doubles.items():
            double.fault(what, operations[name])

    def keys(self) -> dict[str, list[str]]:
        """The keys of the issues that each tracker holds."""
        return {
            name: sorted(issue.get("key") or issue["identifier"] for issue in double.issues())
            for name, double in self.doubles.items()
        }

    def assert_clean(self) -> None:
        """Nothing twice, no rule of the vendors broken."""
        for double in self.doubles.values():
            double.assert_clean(issues=len(double.issues()))
