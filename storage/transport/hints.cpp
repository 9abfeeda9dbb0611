#include "kernmill/storage/transport/hints.hpp"

#include <algorithm>
#include <charconv>

namespace kernmill::storage {
namespace {

constexpr int most_stripes = 64;
constexpr int stripe_bytes = 4 << 20;

constexpr std::uint64_t most_a_call = std::uint64_t{1} << 30;  // larger transfers fail in some versions

std::uint64_t number_in(const Hints& hints, const std::string& name) {
  const auto found = hints.find(name);
  std::uint64_t number = 0;
  if (found != hints.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

}  // namespace

std::uint64_t window_of(const Hints& hints) {
  const auto mode = hints.find("romio_cb_write");
  if (mode == hints.end() || mode->second == "disable") return 0;
  const std::uint64_t writers = std::max<std::uint64_t>(1, number_in(hints, "cb_nodes"));
  const std::uint64_t buffer = std::max<std::uint64_t>(1, number_in(hints, "cb_buffer_size"));
  const std::uint64_t stripe = number_in(hints, "striping_unit");
  return std::min(most_a_call, writers * (stripe > 0 ? std::min(buffer, stripe) : buffer));
}

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
