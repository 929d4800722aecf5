"""Which addresses may be connected to on behalf of a user, and the proxy that sees to it."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading

import pytest
import requests

from lightly._kit.egress import EgressPolicy, EgressRefused
from lightly._kit.egress_proxy import REFUSED_STATUS, EgressProxy
from lightly._kit.errors import BadInput

NOTHING = EgressPolicy()
LOOPBACK = EgressPolicy.parse("127.0.0.0/8")

NOT_PUBLIC = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused_in_every_form(address):
    assert not NOTHING.may_connect(ipaddress.ip_address(address), is_encrypted=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_for_encrypted_connections(address):
    assert NOTHING.may_connect(ipaddress.ip_address(address), is_encrypted=True)
    assert not NOTHING.may_connect(ipaddress.ip_address(address), is_encrypted=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_an_opened_network_may_be_connected_to_without_encryption(address):
    assert LOOPBACK.may_connect(ipaddress.ip_address(address), is_encrypted=False)
    assert not LOOPBACK.may_connect(ipaddress.ip_address("10.0.0.1"), is_encrypted=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_hosts_in_odd_spellings_are_refused_by_what_they_lead_to(host):
    with pytest.raises(EgressRefused, match="not public"):
        NOTHING.resolve(host, 443, is_encrypted=True)


def test_one_good_address_of_a_host_is_taken_and_the_bad_one_left():
    assert NOTHING.check("x", ["10.0.0.1", "8.8.8.8"], is_encrypted=True) == ["8.8.8.8"]


def test_a_refusal_says_what_the_operator_can_do():
    with pytest.raises(EgressRefused, match="LIGHTLY_SERVER_EGRESS_ALLOW"):
        NOTHING.check("store.example.com", ["8.8.8.8"], is_encrypted=False)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "example.com", "10.0.0.0/8;::1"])
def test_an_opened_network_that_is_none_is_refused(text):
    with pytest.raises(BadInput, match="must look like"):
        EgressPolicy.parse(text)


@pytest.fixture
def web_server():
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = f"{self.path} {self.headers['Host']}".encode()
            is_redirect = self.path.startswith("/redirect/")
            self.send_response(302 if is_redirect else 200)
            if is_redirect:
                self.send_header("Location", "http://" + self.path.removeprefix("/redirect/"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(proxy, url, **options):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, proxies={"http": proxy.url, "https": proxy.url}, **options)


@pytest.fixture(scope="module")
def open_proxy():
    return EgressProxy(LOOPBACK)


@pytest.fixture(scope="module")
def closed_proxy():
    return EgressProxy(NOTHING)


def test_the_proxy_passes_on_what_is_allowed(open_proxy, web_server):
    answer = fetch(open_proxy, f"http://{web_server}/a%20b?c=d", timeout=10)

    assert answer.text == f"/a%20b?c=d {web_server}"


def test_the_proxy_refuses_what_is_not_allowed_and_remembers_why(closed_proxy, web_server):
    answer = fetch(closed_proxy, f"http://{web_server}/", timeout=10)

    assert answer.status_code == REFUSED_STATUS
    assert "not public" in closed_proxy.find_refusal("127.0.0.1")


def test_a_redirect_to_what_is_not_allowed_is_refused(open_proxy, web_server):
    answer = fetch(open_proxy, f"http://{web_server}/redirect/169.254.169.254/", timeout=10)

    assert answer.status_code == REFUSED_STATUS


def test_a_tunnel_to_what_is_not_allowed_is_refused(closed_proxy, web_server):
    with pytest.raises(requests.exceptions.ProxyError):
        fetch(closed_proxy, f"https://{web_server}/", timeout=10)


def test_who_does_not_know_the_secret_of_the_proxy_gets_nothing(open_proxy, web_server):
    port = open_proxy.url.rpartition(":")[2]
    with requests.Session() as session:
        session.trust_env = False
        plain = {"http": f"http://lightly:guess@127.0.0.1:{port}"}
        answer = session.get(f"http://{web_server}/", proxies=plain, timeout=10)

    assert answer.status_code == 407


def test_a_name_that_changes_its_answer_leads_to_the_address_that_was_checked(
    web_server, monkeypatch
):
    """The first answer is allowed, the second is not: connected is to the first one."""
    proxy = EgressProxy(LOOPBACK)
    port = int(web_server.rpartition(":")[2])
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked = []

    async def answer(host, number, **_options):
        asked.append(host)
        texts = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, number)) for text in texts]

    monkeypatch.setattr(proxy._loop, "getaddrinfo", answer)

    first = fetch(proxy, f"http://rebinding.example.com:{port}/", timeout=10)
    second = fetch(proxy, f"http://rebinding.example.com:{port}/", timeout=10)

    assert first.status_code == 200
    assert second.status_code == REFUSED_STATUS
    assert len(asked) == 2
