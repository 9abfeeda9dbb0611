#include <cstddef>
#include <cstdint>
#include <string>

#include "kernmill/workflow/expression/expression.hpp"

using namespace kernmill;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Lookup all = [](const NamePath& name) -> std::optional<Known> {
    if (name.back().size() % 4 == 0) return Known(Json(3.1), "3.10");
    if (name.back().size() % 4 == 1) return Known(Json("text"));
    if (name.back().size() % 4 == 2) return Known(Json(-7));
    return Known(Json{1, 2});
  };
  const Lookup some = [&](const NamePath& name) { return name[0] == "params" ? all(name) : std::nullopt; };
  for (const std::string& tried : {std::string(text), "${{ " + std::string(text) + " }}"}) {
    try {
      names_in(tried);
      as_text(tried);
      // What is filled in step by step is what is filled in at once, unless it cannot be computed.
      const Json half = evaluate(tried, some);
      if (half.is_string()) evaluate(half.get_ref<const std::string&>(), all);
      evaluate_all(Json{tried, {{"key", tried}}}, all);
    } catch (const ExpressionError& error) {
      // Of what was filled in half, the place is in a text that may be longer.
      if (error.message.empty()) __builtin_trap();
    }
  }
  return 0;
}
