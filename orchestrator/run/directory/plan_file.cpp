#include "kernmill/run/directory/plan_file.hpp"

#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "kernmill/base/checksum.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

constexpr std::string_view key = ",\"crc\":\"";

[[noreturn]] void damaged(const std::filesystem::path& file, const std::string& why) {
  throw std::runtime_error(
      fmt::format("{} is damaged: {}; put it back from a copy, or run the workflow anew: what the cache "
                  "knows of this run "
                  "is taken from it",
                  file.string(), why));
}

/// Files of earlier versions have none.
void check(const std::filesystem::path& file, std::string_view text) {
  const std::size_t at = text.rfind(key);
  if (at == std::string_view::npos) return;
  if (text.substr(at + key.size()) != checksum(text.substr(0, at)) + "\"}\n")
    damaged(file, "its checksum is not the one that it was written with");
}

void write(const std::filesystem::path& file, const Plan& plan) {
  std::string text = to_json(plan).dump();
  text.pop_back();  // the brace at its end
  write_file_durably(file, fmt::format("{}{}{}\"}}\n", text, key, checksum(text)));
}

}  // namespace

unsigned number_of_newest_plan(const RunDirectory& run) {
  unsigned number = 1;
  std::error_code none;
  while (std::filesystem::exists(run.later_plan(number + 1), none)) ++number;
  return number;
}

void write_plan_file(const RunDirectory& run, const Plan& plan) {
  write(run.plan(), plan);
}

void write_next_plan(const RunDirectory& run, const Plan& plan) {
  write(run.later_plan(number_of_newest_plan(run) + 1), plan);
}

std::filesystem::path newest_plan(const RunDirectory& run) {
  const unsigned number = number_of_newest_plan(run);
  return number == 1 ? run.plan() : run.later_plan(number);
}

PlanFile read_plan_file(const RunDirectory& run) {
  const std::filesystem::path file = newest_plan(run);
  std::error_code unreadable;
  const auto status = std::filesystem::status(file, unreadable);
  if (!unreadable && !std::filesystem::is_regular_file(status)) damaged(file, "it is no regular file");
  const std::string text = read_file(file);
  check(file, text);
  try {
    const Json document = parse_json(text);
    return {plan_from_json(document), text_in(document, "launcher")};
  } catch (const std::invalid_argument& error) {
    damaged(file, error.what());
  }
}

}  // namespace kernmill
