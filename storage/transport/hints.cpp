#include "kernmill/storage/transport/hints.hpp"

#include <algorithm>

namespace kernmill::storage {
namespace {

constexpr int most_stripes = 64;
constexpr int stripe_bytes = 4 << 20;

}  // namespace

Hints hints_for(FileSystem file_system, int nodes, const TransportSettings& settings) {
  Hints hints = settings.hints;
  const auto unless_said = [&](const char* name, const std::string& value) { hints.emplace(name, value); };
  unless_said("romio_ds_read", "disable");
  unless_said("romio_ds_write", "disable");
  unless_said("romio_cb_read", "disable");  // every rank reads its own range: there is nothing to exchange
  unless_said("romio_cb_write", file_system == FileSystem::local ? "disable" : "enable");
  if (file_system == FileSystem::local) return hints;
  unless_said("cb_nodes", std::to_string(nodes));
  if (file_system != FileSystem::lustre) return hints;
  unless_said("striping_factor", std::to_string(std::min(nodes, most_stripes)));
  unless_said("striping_unit", std::to_string(stripe_bytes));
  return hints;
}

}  // namespace kernmill::storage
