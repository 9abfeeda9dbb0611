#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace kernmill {

/// "3 rows", "1 row".
std::string counted(std::uint64_t count, std::string_view thing);

}  // namespace kernmill
