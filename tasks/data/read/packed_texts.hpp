#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Texts of any bytes as one, to send them to other ranks.
inline std::string packed_texts(std::span<const std::string> texts) {
  std::string packed;
  for (const auto& text : texts) {
    const std::uint64_t length = text.size();
    packed.append(reinterpret_cast<const char*>(&length), sizeof length);
    packed += text;
  }
  return packed;
}

inline std::vector<std::string> unpacked_texts(std::string_view packed) {
  std::vector<std::string> texts;
  while (!packed.empty()) {
    std::uint64_t length = 0;
    std::memcpy(&length, packed.data(), sizeof length);
    texts.emplace_back(packed.substr(sizeof length, length));
    packed.remove_prefix(sizeof length + length);
  }
  return texts;
}

/// Collective: everybody gets rank 0's texts.
inline void share_texts(const Communicator& comm, std::vector<std::string>& texts) {
  std::string packed = packed_texts(texts);
  comm.bcast(packed);
  texts = unpacked_texts(packed);
}

}  // namespace kernmill::tasks
