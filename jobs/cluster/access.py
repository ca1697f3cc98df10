"""Who may use a Ray cluster: the token that a cluster wants, and the one that a local run makes for itself."""

from __future__ import annotations

import os
import secrets

import grpc
from ray._private import services
from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
from ray._private.grpc_utils import init_grpc_channel
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]
from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc
from ray.exceptions import AuthenticationError

from pipeline.errors import FaultError

MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Ray's variables. Ray takes the first token there is: of TOKEN, of the file TOKEN_PATH, of `DEFAULT_FILE`."""

_OWN = "DLCODEGEN_"
"""Before the name of a variable of Ray's: the value that a local run gave it, so that its processes tell it from the
user's."""

DEFAULT_FILE = "~/.ray/auth_token"

_ANSWER_SECONDS = 10

WAY_OUT = (
    f"put the cluster's token into {DEFAULT_FILE} (or name its file in {TOKEN_PATH}) and set {MODE}=token, "
    "as docs/clusters.md shows"
)


def use_own_token() -> None:
    """A local Ray that starts in this process, now or later, has a token of its own, which it and its processes alone
    know.

    Left to itself, `ray.init` writes a token into the user's home, and from then on every `ray start` there demands it.
    Where the user has decided (RAY_AUTH_MODE is set, and a token, where one is wanted), it stays at that. The variables
    stay set: Ray reads the token once and keeps it, so whoever starts a second Ray in this process needs the same.
    """
    _read_again()
    mode = os.environ.get(MODE)
    if mode is not None and (mode.lower() != "token" or _has_token()):
        return
    if mode is None:
        os.environ[MODE] = os.environ[_OWN + MODE] = "token"
    os.environ[TOKEN] = os.environ[_OWN + TOKEN] = secrets.token_hex(32)
    _read_again()


def drop_own_token() -> None:
    """Takes back `use_own_token`, in whichever process it was: a cluster that is joined has another token."""
    own = {name: os.environ.pop(_OWN + name, None) for name in (MODE, TOKEN)}
    if own[TOKEN] is not None and own[TOKEN] == os.environ.get(TOKEN):
        for name, value in own.items():
            if value is not None:
                os.environ.pop(name, None)
    _read_again()


def require_admission(address: str) -> None:
    """Raises FaultError, at once and in a line, where the cluster at `address` (`host:port`, or `auto` for the one of
    this machine) wants another token than is sent to it. Ray itself tries for 20 seconds, and then says that the
    cluster does not answer. What else keeps it from answering is left to Ray."""
    drop_own_token()
    if address.startswith("ray://"):
        return
    if address == "auto":
        # As ray.init has it: to the cluster of this machine, the token of this user's home is sent.
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
    gcs = services.canonicalize_bootstrap_address(address)
    try:
        with init_grpc_channel(gcs) as channel:
            nodes = gcs_service_pb2_grpc.NodeInfoGcsServiceStub(channel)
            nodes.CheckAlive(gcs_service_pb2.CheckAliveRequest(), timeout=_ANSWER_SECONDS)
    except AuthenticationError as error:
        raise FaultError(f"{MODE}=token, and there is no token to send to address={address}; {WAY_OUT}") from error
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.UNAUTHENTICATED:
            raise FaultError(f"the Ray cluster at address={address} {_refusal()}; {WAY_OUT}") from error


def _refusal() -> str:
    """What a cluster that refuses this process was sent."""
    if os.environ.get(MODE, "").lower() != "token":
        return f"wants a token, and none was sent to it ({MODE} is not `token` here)"
    if os.environ.get(TOKEN):
        return f"has another token than the one in {TOKEN}"
    return f"has another token than the one in {os.environ.get(TOKEN_PATH) or DEFAULT_FILE}"


def _has_token() -> bool:
    return bool(AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True))


def _read_again() -> None:
    """Ray reads the variables once in a process, which may have a local Ray first and join a cluster later."""
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
