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

[[noreturn]] void damaged(const RunDirectory& run, const std::string& why) {
  throw std::runtime_error(
      fmt::format("{} is damaged: {}; put it back from a copy, or run the workflow anew: what the cache "
                  "knows of this run "
                  "is taken from it",
                  run.plan().string(), why));
}

/// Files of earlier versions have none.
void check(const RunDirectory& run, std::string_view text) {
  const std::size_t at = text.rfind(key);
  if (at == std::string_view::npos) return;
  if (text.substr(at + key.size()) != checksum(text.substr(0, at)) + "\"}\n")
    damaged(run, "its checksum is not the one that it was written with");
}

}  // namespace

void write_plan_file(const RunDirectory& run, const Plan& plan) {
  std::string text = to_json(plan).dump();
  text.pop_back();  // the brace at its end
  write_file_durably(run.plan(), fmt::format("{}{}{}\"}}\n", text, key, checksum(text)));
}

PlanFile read_plan_file(const RunDirectory& run) {
  std::error_code unreadable;
  const auto status = std::filesystem::status(run.plan(), unreadable);
  if (!unreadable && !std::filesystem::is_regular_file(status)) damaged(run, "it is no regular file");
  const std::string text = read_file(run.plan());
  check(run, text);
  try {
    const Json document = parse_json(text);
    return {plan_from_json(document), text_in(document, "launcher")};
  } catch (const std::invalid_argument& error) {
    damaged(run, error.what());
  }
}

}  // namespace kernmill
