"""Seals what a request needs of a shopper (an address, a number), so that the database cannot tell it.

Details are a small mapping of names to text, encrypted and authenticated with Fernet (AES-128-CBC
and HMAC-SHA-256) under a key derived from the home's secret by HKDF-SHA-256 (RFC 5869). Knows
nothing about who may open them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import ShopbotError
from db.requests import StoredRequest

PURPOSE = b"shopbot: details of a request, version 1"


class SealError(ShopbotError):
    """Details that this home's secret does not open, or that were altered."""


def seal(details: Mapping[str, str], secret: bytes) -> bytes:
    """Returns the details as one token; b"" where there are none."""
    if not details:
        return b""
    return _fernet(secret).encrypt(json.dumps(dict(details), ensure_ascii=False).encode())


def unseal(token: bytes, secret: bytes) -> dict[str, str]:
    """Returns what `seal` was given. Raises SealError."""
    if not token:
        return {}
    try:
        return {str(k): str(v) for k, v in json.loads(_fernet(secret).decrypt(token)).items()}
    except InvalidToken:
        raise SealError(
            "these details were sealed with another secret: put the home's own `secret` file back"
        ) from None


def open_details(request: StoredRequest, secret: bytes) -> dict[str, str]:
    """Returns what a recorded request holds of the shopper; for people who have signed in.

    Raises SealError.
    """
    return unseal(request.sealed_details or b"", secret)


def _fernet(secret: bytes) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret)
    return Fernet(base64.urlsafe_b64encode(key))
