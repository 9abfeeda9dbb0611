#include "kernmill/storage/element.hpp"

#include <array>

namespace kernmill::storage {
namespace {

struct Described {
  Element type;
  std::string_view name;
  std::uint64_t size;
};

constexpr std::array described{Described{Element::f64, "float64", 8}, Described{Element::f32, "float32", 4},
                               Described{Element::f16, "float16", 2}, Described{Element::bf16, "bfloat16", 2},
                               Described{Element::u8, "uint8", 1},    Described{Element::i32, "int32", 4}};

}  // namespace

std::uint64_t size_of(Element type) {
  return described.at(static_cast<std::size_t>(type)).size;
}

std::string_view to_string(Element type) {
  return described.at(static_cast<std::size_t>(type)).name;
}

std::optional<Element> element_of(std::string_view name) {
  for (const Described& one : described)
    if (one.name == name) return one.type;
  return std::nullopt;
}

}  // namespace kernmill::storage
