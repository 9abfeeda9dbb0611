#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// How metrics went on while instances ran: a row for each line that counted steps.
class MetricHistory {
 public:
  /// `row`: name -> value.
  void add(const std::string& instance, Json row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Aligned, rounded, for people. A column names the instance where there are several.
  [[nodiscard]] std::string text() const;
  /// Fields as in RFC 4180, a line of names first, that of the instance among them.
  [[nodiscard]] std::string csv() const;
  /// A map an instance: instance, and rows as they came.
  [[nodiscard]] Json json() const;

 private:
  std::vector<std::pair<std::string, Json>> rows_;
  std::vector<std::string> names_;  ///< that occur, as they came
  bool has_several_ = false;
};

}  // namespace kernmill
