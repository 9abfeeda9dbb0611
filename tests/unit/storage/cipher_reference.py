"""Prints the reference values of cipher_test.cpp, computed by another implementation (pyca/cryptography)."""
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

key = bytes(range(32))
salt = bytes(range(64, 96))
name, table_bytes, block = b"train/features", 65536 + 100, 1
plain = bytes((7 * i) % 256 for i in range(100))


def derive(purpose, length):
    return HKDF(hashes.SHA256(), length, salt, purpose).derive(key)


about = salt + table_bytes.to_bytes(8, "big") + block.to_bytes(8, "big") + name
nonce = bytes(4) + block.to_bytes(8, "big")
sealed = AESGCM(derive(b"kernmill table " + name, 32)).encrypt(nonce, plain, about)
print("key check ", derive(b"kernmill key check", 16).hex())
print("ciphertext", sealed[:-16].hex())
print("tag       ", sealed[-16:].hex())
