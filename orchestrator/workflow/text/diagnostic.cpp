#include "kernmill/workflow/text/diagnostic.hpp"

#include <algorithm>
#include <tuple>

namespace kernmill {
namespace {

auto sort_key(const Diagnostic& d) {
  static const std::string nowhere;
  return std::tuple(d.where.file ? std::string_view(d.where.file->path) : std::string_view(nowhere),
                    d.where.line, d.where.column, std::string_view(d.message));
}

}  // namespace

void Diagnostics::error(Where where, std::string message, std::string help) {
  list_.push_back({Diagnostic::Severity::error, std::move(where), std::move(message), std::move(help)});
}

void Diagnostics::warning(Where where, std::string message, std::string help) {
  list_.push_back({Diagnostic::Severity::warning, std::move(where), std::move(message), std::move(help)});
}

bool Diagnostics::has_errors() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

void Diagnostics::sort() {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return sort_key(a) < sort_key(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) { return sort_key(a) == sort_key(b); };
  list_.erase(std::unique(list_.begin(), list_.end(), same), list_.end());
}

}  // namespace kernmill
