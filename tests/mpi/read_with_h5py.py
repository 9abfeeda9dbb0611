"""Reads a dataset of format version 2, 3 or 4 without Kernmill: read_with_h5py.py FILE [KEY_FILE].

Not a line of Kernmill's takes part: it follows storage/README.md alone: checksums, footer, content hash, types and sparse
rows and, with a key, the encryption. Prints the number of training rows, a sum over their features that tells each place
from every other, and the content hash; fails when anything disagrees.
"""
import hashlib
import io
import struct
import sys

try:
    import h5py
    import numpy
    if len(sys.argv) > 2:
        import cryptography
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-h5py, python3-cryptography)")
    sys.exit(77)

BLOCK = 64 << 10
TABLES = ["features", "bytes", "indptr", "indices", "values", "target", "weights", "row_numbers", "levels_before", "levels_at"]

CRC_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    CRC_TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(value)) + value


def shape_bytes(shape):
    return struct.pack("<Q", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape)


def raw(dataset):
    """The bytes of a dataset as the file has them."""
    kind = dataset.id.get_type()
    buffer = numpy.empty(dataset.shape, dtype=f"V{kind.get_size()}" if dataset.size else "V1")
    if dataset.size:
        dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, buffer, kind)
    return buffer.tobytes() if dataset.size else b""


def type_name(dataset):
    kind = dataset.id.get_type()
    names = {h5py.h5t.STRING: "text", h5py.h5t.INTEGER: "integer", h5py.h5t.FLOAT: "float"}
    return f"{names[kind.get_class()]} {kind.get_size()}"


def described(group, path):
    out = b""
    for name in sorted(group):
        here = f"{path}/{name}"
        if here == "schema/source":
            continue
        out += text(here)
        item = group[name]
        if isinstance(item, h5py.Group):
            out += described(item, here)
        else:
            out += text(type_name(item)) + shape_bytes(item.shape) + text(raw(item))
    return out


def blocks(data):
    return [data[i:i + BLOCK] for i in range(0, len(data), BLOCK)]


def check_footer(path):
    data = open(path, "rb").read()
    assert data.endswith(b"KMCHECK2"), "no footer"
    length, checksum = struct.unpack("<QI", data[-20:-8])
    footer = data[-20 - length:-20]
    assert crc32c(footer) == checksum, "footer"
    size, count = struct.unpack("<QQ", footer[:16])
    regions = struct.unpack(f"<{2 * count}Q", footer[16:16 + 16 * count])
    outside, at = b"", 0
    for begin, end in zip(regions[::2], regions[1::2]):
        outside += data[at:begin]
        at = end
    outside += data[at:size]
    assert crc32c(outside) == struct.unpack("<I", footer[-4:])[0], "structure"


class Decryption:
    def __init__(self, file, key_file):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        self.file, self.aead = file, AESGCM
        key = bytes.fromhex(open(key_file).read().strip())
        self.salt = bytes.fromhex(file.attrs["encryption_salt"].decode())
        self.derive = lambda purpose, n: HKDF(hashes.SHA256(), n, self.salt, purpose).derive(key)
        check = self.derive(b"kernmill key check", 16).hex()
        assert check == file.attrs["encryption_key_check"].decode(), "key"

    def plain(self, path, data):
        cipher = self.aead(self.derive(b"kernmill table " + path.encode(), 32))
        tags = self.file["tags/" + path][:]
        out = b""
        for number, block in enumerate(blocks(data)):
            about = self.salt + struct.pack(">QQ", len(data), number) + path.encode()
            out += cipher.decrypt(struct.pack(">IQ", 0, number), block + tags[number].tobytes(), about)
        return out


def words(dataset):
    """The text, or texts, of a dataset."""
    value = dataset[()]
    return value.decode() if isinstance(value, bytes) else [name.decode() for name in value]


def numbers(file, name, data):
    """A table as h5py gives it, whose bytes may have been decrypted: what HDF5 makes of the type is what counts."""
    if data == raw(file[name]):
        return file[name][:]
    copy = h5py.File("decrypted", "w", driver="core", backing_store=False)
    kind = file[name].id.get_type()
    made = h5py.h5d.create(copy.id, b"table", kind, h5py.h5s.create_simple(file[name].shape))
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, numpy.frombuffer(data, dtype=f"V{kind.get_size()}").reshape(file[name].shape), kind)
    return copy["table"][:]


def features_of(file, about, part, table):
    """The features of a part, dense: n x d. `table` gives a table of it."""
    width = len(about["schema/features"])
    if "encoding" not in about:  # format version 2
        return table("features")
    encoding = about["encoding"]
    if words(encoding["layout"]) == "sparse":
        indptr, indices, values = table("indptr"), table("indices"), table("values")
        dense = numpy.zeros((len(indptr) - 1, width))
        for row, (begin, end) in enumerate(zip(indptr[:-1], indptr[1:])):
            dense[row, indices[begin:end]] = values[begin:end]
        return dense
    in_bytes = encoding["byte_columns"][:].astype(int)
    others = [column for column in range(width) if column not in in_bytes]
    stored = numpy.empty((len(file[f"{part}/row_numbers"]), width))
    if others:
        stored[:, others] = table("features")
    if len(in_bytes):
        stored[:, in_bytes] = table("bytes")
    if len(encoding["center"]):
        stored = (stored - encoding["center"][:]) / encoding["scale"][:]
    return stored


def main():
    path = sys.argv[1]
    check_footer(path)
    with h5py.File(path, "r") as file:
        decryption = Decryption(file, sys.argv[2]) if len(sys.argv) > 2 else None

        def content(name):
            data = raw(file[name])
            assert [crc32c(b) for b in blocks(data)] == list(file["checksums/" + name][:]), name
            return decryption.plain(name, data) if decryption else data

        about = h5py.File(io.BytesIO(content("sealed/content")), "r") if decryption else file
        version = int(file.attrs["format_version"])
        packed = text(f"kernmill-dataset content {min(version, 3)}") + text(described(about["schema"], "schema"))
        if version > 2:
            packed += text(described(about["encoding"], "encoding"))
        for part in ["train", "validation", "test"]:
            for table in TABLES:
                name = f"{part}/{table}"
                if name not in file:
                    continue
                data = content(name)
                pieces = b"".join(hashlib.sha256(data[i:i + (1 << 20)]).digest() for i in range(0, len(data), 1 << 20))
                packed += text(name) + text(type_name(file[name])) + shape_bytes(file[name].shape)
                packed += hashlib.sha256(pieces).digest()
        digest = hashlib.sha256(packed).hexdigest()
        assert digest == file.attrs["content_hash"].decode(), (digest, file.attrs["content_hash"])
        features = features_of(file, about, "train", lambda table: numbers(file, f"train/{table}", content(f"train/{table}")))
        n, d = features.shape
        weights = numpy.outer(numpy.arange(1, n + 1), numpy.arange(2, d + 2))
        with numpy.errstate(all="ignore"):
            print(n, "rows, sum", float((features * weights).sum()), digest)


main()
