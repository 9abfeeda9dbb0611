#include "kernmill/slurm/spank/rank_event.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <sys/wait.h>

namespace kernmill::spank {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    const auto code = static_cast<unsigned char>(letter);
    result += code < 0x20 ? ' ' : letter;
  }
  return result + '"';
}

std::string field(const char* name, const std::string& value) {
  return std::string(",\"") + name + "\":" + value;
}

}  // namespace

std::string utc_timestamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> date{};
  std::array<char, 48> text{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(),
                static_cast<int>(since_epoch.count() % 1000));
  return text.data();
}

std::string to_line(const RankEnded& event, const std::string& time) {
  std::string line = R"({"v":1,"time":)" + quoted(time) + R"(,"event":"rank_ended")";
  if (!event.stage.empty()) line += field("stage", quoted(event.stage));
  if (event.instance) line += field("instance", std::to_string(*event.instance));
  if (event.attempt) line += field("attempt", std::to_string(*event.attempt));
  line += field("job", quoted(event.job)) + field("step", quoted(event.step)) +
          field("rank", std::to_string(event.rank)) + field("node", quoted(event.node)) +
          field("pid", std::to_string(event.pid));
  if (WIFSIGNALED(event.status)) {
    line += field("signal", std::to_string(WTERMSIG(event.status)));
    if (WCOREDUMP(event.status)) line += field("core_dumped", "true");
  } else {
    line += field("exit_code", std::to_string(WEXITSTATUS(event.status)));
  }
  if (event.memory != 0) line += field("memory", std::to_string(event.memory));
  return line + "}\n";
}

}  // namespace kernmill::spank
