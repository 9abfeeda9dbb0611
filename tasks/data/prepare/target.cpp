#include "kernmill/tasks/data/prepare/target.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include <fmt/format.h>

#include "kernmill/tasks/data/read/csv.hpp"
#include "kernmill/tasks/data/read/packed_texts.hpp"

namespace kernmill::tasks {
namespace {

constexpr double exact_integers = 9007199254740992.0;  // 2^53

/// How many of the column's values look like what, over all ranks.
struct Census {
  std::array<std::uint64_t, 4> counts{};
  enum What { whole, fraction, not_finite, text };
  void add(const std::string& value) {
    double number = 0;
    const std::string reason = parse_number(value, number);
    if (reason.empty())
      ++counts[std::floor(number) == number && std::abs(number) < exact_integers ? whole : fraction];
    else
      ++counts[reason == "is not a finite number" ? not_finite : text];
  }
  [[nodiscard]] bool has(What what) const { return counts[what] > 0; }
};

std::string whole_number(const std::string& text) {
  double number = 0;
  parse_number(text, number);
  return fmt::format("{}", static_cast<std::int64_t>(number));
}

Target classes_of(const Communicator& comm, std::vector<std::string> labels, bool whole_numbers) {
  Target target;
  target.kind = storage::TargetKind::classes;
  if (whole_numbers) std::transform(labels.begin(), labels.end(), labels.begin(), whole_number);
  target.classes = distinct_texts(comm, labels);
  if (whole_numbers)
    std::sort(target.classes.begin(), target.classes.end(),
              [](const auto& a, const auto& b) { return std::stoll(a) < std::stoll(b); });
  const auto index_of = [&, sorted = !whole_numbers](const std::string& label) {
    const auto& all = target.classes;
    const auto it =
        sorted ? std::lower_bound(all.begin(), all.end(), label)
               : std::lower_bound(all.begin(), all.end(), label,
                                  [](const auto& a, const auto& b) { return std::stoll(a) < std::stoll(b); });
    return static_cast<double>(it - all.begin());
  };
  std::transform(labels.begin(), labels.end(), std::back_inserter(target.values), index_of);
  return target;
}

}  // namespace

std::vector<std::string> distinct_texts(const Communicator& comm, const std::vector<std::string>& texts) {
  const std::string packed = packed_texts(texts);
  const auto gathered = comm.allgatherv(std::span<const char>(packed));
  const auto parts = unpacked_texts({gathered.data(), gathered.size()});
  const std::set<std::string> distinct(parts.begin(), parts.end());
  return {distinct.begin(), distinct.end()};
}

Target make_target(const Communicator& comm, const std::vector<std::string>& texts, TargetType type) {
  Census census;
  for (const auto& text : texts) census.add(text);
  comm.allreduce(std::span<std::uint64_t>(census.counts), Reduction::sum);
  const bool whole_only =
      !census.has(Census::fraction) && !census.has(Census::text) && !census.has(Census::not_finite);
  if (type == TargetType::classes || whole_only) return classes_of(comm, texts, whole_only);
  const bool numbers = census.has(Census::whole) || census.has(Census::fraction);
  Target target;
  target.mixed = (census.has(Census::fraction) && census.has(Census::text)) ||
                 (numbers && census.has(Census::not_finite));
  if (target.mixed) return target;
  if (census.has(Census::text) || !numbers) return classes_of(comm, texts, false);
  target.kind = storage::TargetKind::numbers;
  for (const auto& text : texts) parse_number(text, target.values.emplace_back());
  return target;
}

}  // namespace kernmill::tasks
