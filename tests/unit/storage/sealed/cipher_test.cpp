#include "kernmill/storage/sealed/cipher.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "kernmill/base/sha256.hpp"

namespace kernmill::storage {
namespace {

using Bytes = std::vector<std::byte>;

template <std::size_t n>
std::array<std::byte, n> counting_from(unsigned first) {
  std::array<std::byte, n> bytes{};
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(first + i);
  return bytes;
}

Key some_key() {
  return Key(counting_from<32>(0));
}

Bytes plain_text(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(7 * i);
  return bytes;
}

TableCipher some_cipher(const std::string& name = "train/features", std::uint64_t bytes = 65536 + 100) {
  return FileCipher(some_key(), counting_from<32>(64)).table(name, bytes);
}

bool opens(const TableCipher& cipher, std::uint64_t block, Bytes& bytes, const Tag& tag) {
  return !cipher.open(block, bytes.size(), bytes, std::span(&tag, 1)).has_value();
}

// The values are another implementation's: cipher_reference.py.
TEST(Cipher, AgreesWithAnotherImplementation) {
  Bytes sealed(100);
  const Tag tag = some_cipher().seal(1, plain_text(100), sealed);
  EXPECT_EQ(
      hexadecimal(sealed),
      "a0aebd9db06d119cb3c204f86a805401e07b3a522d71d844d0cb192e7ef4d04b6899e9c9f6b84b25889e15d776b79de9b8"
      "9bab0166da89312c981b826290846a6eb631fafb10df135f3746e9ea7b9a16a6913c7af9222f95b900bc7cd385e16d8a83"
      "219f");
  EXPECT_EQ(hexadecimal(tag), "133d36dc795046cc981b58525a0e4664");
  EXPECT_EQ(hexadecimal(FileCipher(some_key(), counting_from<32>(64)).key_check()),
            "54dd4c76fbbf72c90ead9d109c6aecb3");
}

TEST(Cipher, PiecesCutAnywhereMakeTheBytesOfAWholeBlock) {
  const TableCipher cipher = some_cipher();
  const Bytes plain = plain_text(100);
  Bytes whole(100);
  static_cast<void>(cipher.seal(0, plain, whole));
  for (std::size_t cut = 0; cut <= plain.size(); ++cut) {
    Bytes pieces = plain;
    cipher.apply(0, 0, std::span(pieces).first(cut));
    cipher.apply(0, cut, std::span(pieces).subspan(cut));
    EXPECT_EQ(pieces, whole) << cut;
  }
}

/// What opens a block depends on the machine.
class Opening : public ::testing::TestWithParam<bool> {
 protected:
  static TableCipher cipher_here() { return GetParam() ? some_cipher().by_openssl() : some_cipher(); }
};
INSTANTIATE_TEST_SUITE_P(By, Opening, ::testing::Bool(),
                         [](const auto& openssl) { return openssl.param ? "OpenSsl" : "WhatIsFastest"; });

TEST_P(Opening, GivesWhatWasSealedAndNothingElse) {
  const TableCipher cipher = cipher_here();
  const Bytes plain = plain_text(100);
  Bytes sealed(100);
  const Tag tag = cipher.seal(5, plain, sealed);
  Bytes bytes = sealed;
  EXPECT_TRUE(opens(cipher, 5, bytes, tag));
  EXPECT_EQ(bytes, plain);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    bytes = sealed;
    bytes[i] ^= std::byte{1};
    EXPECT_FALSE(opens(cipher, 5, bytes, tag)) << i;
  }
  for (std::size_t i = 0; i < tag.size(); ++i) {
    Tag changed = tag;
    changed[i] ^= std::byte{0x80};
    bytes = sealed;
    EXPECT_FALSE(opens(cipher, 5, bytes, changed)) << i;
  }
}

TEST(Cipher, ABlockElsewhereIsAChangedOne) {
  const Bytes plain = plain_text(100);
  Bytes sealed(100);
  const Tag tag = some_cipher().seal(5, plain, sealed);
  const auto opened = [&](const TableCipher& cipher, std::uint64_t block) {
    Bytes bytes = sealed;
    return opens(cipher, block, bytes, tag);
  };
  EXPECT_TRUE(opened(some_cipher(), 5));
  EXPECT_FALSE(opened(some_cipher(), 6));
  EXPECT_FALSE(opened(some_cipher("test/features"), 5));
  EXPECT_FALSE(opened(some_cipher("train/features", 65536), 5));
  EXPECT_FALSE(opened(FileCipher(some_key(), counting_from<32>(65)).table("train/features", 65636), 5));
  EXPECT_FALSE(
      opened(FileCipher(Key(counting_from<32>(1)), counting_from<32>(64)).table("train/features", 65636), 5));
}

TEST_P(Opening, TakesManyBlocksAtOnceAndNamesTheFirstThatIsWrong) {
  constexpr std::uint64_t first = 7, block = 64;
  const TableCipher cipher = cipher_here();
  const Bytes plain = plain_text(3 * block + 10);
  Bytes sealed(plain.size());
  std::vector<Tag> tags;
  for (std::uint64_t at = 0; at < plain.size(); at += block) {
    const std::uint64_t size = std::min(block, plain.size() - at);
    tags.push_back(cipher.seal(first + at / block, std::span(plain).subspan(at, size),
                               std::span(sealed).subspan(at, size)));
  }
  Bytes bytes = sealed;
  EXPECT_EQ(cipher.open(first, block, bytes, tags), std::nullopt);
  EXPECT_EQ(bytes, plain);
  for (std::uint64_t wrong = 0; wrong < tags.size(); ++wrong) {
    bytes = sealed;
    bytes[wrong * block + 3] ^= std::byte{4};
    EXPECT_EQ(cipher.open(first, block, bytes, tags), first + wrong);
  }
}

TEST_P(Opening, TakesBlocksOfAnyLength) {
  const TableCipher cipher = cipher_here();
  for (std::size_t size : {1, 15, 16, 17, 255, 4095, 65535, 65536}) {
    const Bytes plain = plain_text(size);
    Bytes bytes(size);
    const Tag tag = cipher.seal(1, plain, bytes);
    EXPECT_TRUE(opens(cipher, 1, bytes, tag)) << size;
    EXPECT_EQ(bytes, plain) << size;
  }
}

TEST(Cipher, NoTwoFilesHaveASalt) {
  const FileCipher one(some_key()), other(some_key());
  EXPECT_NE(one.salt(), other.salt());
  EXPECT_NE(one.key_check(), other.key_check());
}

}  // namespace
}  // namespace kernmill::storage
