#include "kernmill/report/rank_ends.hpp"

#include <fmt/format.h>

#include "kernmill/report/quantity.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

bool is_of_spank(const std::filesystem::path& file) {
  return file.stem().extension().string().starts_with(".spank-");
}

RankEnd end_in(const Json& body) {
  RankEnd end;
  end.node = text_in(body, "node");
  end.rank = static_cast<unsigned>(number_in(body, "rank"));
  end.exit_code = static_cast<int>(number_in(body, "exit_code"));
  end.signal = static_cast<int>(number_in(body, "signal"));
  end.memory = static_cast<std::uint64_t>(number_in(body, "memory"));
  return end;
}

}  // namespace

std::string to_string(const RankEnd& end) {
  const std::string how =
      end.signal != 0 ? fmt::format("signal {}", end.signal) : fmt::format("status {}", end.exit_code);
  const std::string memory = end.memory == 0 ? "" : fmt::format(", at most {}", bytes_text(end.memory));
  return fmt::format("rank {} on {} was the first to fail: {}{}", end.rank, end.node, how, memory);
}

std::map<AttemptKey, RankEnd> first_failed_ranks(const std::filesystem::path& journal) {
  std::map<AttemptKey, RankEnd> first;
  for (const auto& file : std::filesystem::directory_iterator(journal)) {
    if (!is_of_spank(file.path())) continue;
    for (const Record& record : read_journal_file(file.path())) {
      if (record.event != "rank_ended" || !record.body.contains("attempt")) continue;
      RankEnd end = end_in(record.body);
      end.time = record.time;
      if (end.exit_code == 0 && end.signal == 0) continue;
      const AttemptKey key{text_in(record.body, "stage"),
                           static_cast<unsigned>(number_in(record.body, "instance", -1)),
                           static_cast<unsigned>(number_in(record.body, "attempt"))};
      const auto [known, is_new] = first.try_emplace(key, end);
      if (!is_new && end.time < known->second.time) known->second = end;
    }
  }
  return first;
}

}  // namespace kernmill
