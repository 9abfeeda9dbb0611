#include "kernmill/cli/doctor/io_report.hpp"

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"

namespace kernmill::cli::doctor {
namespace {

constexpr double clearly_faster = 1.1;

const Json* line_of(const Json& measured, const std::string& what) {
  for (const Json& line : measured.at("measures"))
    if (line.value("what", "") == what) return &line;
  return nullptr;
}

/// How fast one is beside another: 2 is twice as fast.
double speed_beside(const Json& line, const std::string& one, const std::string& other) {
  const double a = line.value(one, 0.0), b = line.value(other, 0.0);
  if (a <= 0 || b <= 0) return 0;
  return line.value("unit", "") == "s" ? b / a : a / b;
}

/// In durable writing and sequential reading together.
double overall(const Json& measured, const std::string& one, const std::string& other) {
  const Json* write = line_of(measured, "durable write");
  const Json* read = line_of(measured, "sequential read");
  if (write == nullptr || read == nullptr) return 0;
  return std::sqrt(speed_beside(*write, one, other) * speed_beside(*read, one, other));
}

std::string amount(const Json& line, const std::string& way) {
  if (!line.contains(way)) return "-";
  const double value = line[way].get<double>();
  if (line.value("unit", "") == "s") return fmt::format("{:.2f} ms", 1e3 * value);
  return bytes_text(static_cast<std::uint64_t>(value)) + "/s";
}

std::string beside_raw(const Json& line, const std::string& way) {
  return line.contains(way) ? fmt::format("{:.2f}", speed_beside(line, way, "raw")) : "";
}

}  // namespace

Recommendation recommend(const Json& measured) {
  const std::string chosen = measured.at("auto").value("transport", "posix");
  const std::string reason = measured.at("auto").value("reason", "");
  const std::string other = chosen == "posix" ? "mpiio" : "posix";
  const double faster = overall(measured, other, chosen);
  const std::string takes = fmt::format("it takes {} here ({})", chosen, reason);
  const bool is_unsafe =
      other == "posix" && measured.value("nodes", 1) > 1 && measured.value("file_system", "") == "NFS";
  if (is_unsafe)
    return {"auto", takes + ", and NFS promises nothing to several nodes that write by themselves"};
  if (faster < clearly_faster)
    return {"auto", fmt::format("{}; {} has {:.2f} of its speed in durable writing and sequential reading",
                                takes, other, faster)};
  return {other,
          fmt::format("in durable writing and sequential reading it is {:.2f} times as fast as {}, which "
                      "auto takes here ({})",
                      faster, chosen, reason)};
}

std::string io_table(const Json& measured, const Paint& paint) {
  using Align = TextTable::Align;
  TextTable table({Align::left, Align::right, Align::right, Align::right, Align::right, Align::right}, "  ");
  const auto head = [&](const char* text) { return paint(Color::bold, text); };
  table.row({"", head("raw POSIX"), head("posix"), "", head("mpiio"), ""});
  for (const Json& line : measured.at("measures"))
    table.row({line.at("what").get<std::string>(), amount(line, "raw"), amount(line, "posix"),
               beside_raw(line, "posix"), amount(line, "mpiio"), beside_raw(line, "mpiio")});
  return table.text();
}

}  // namespace kernmill::cli::doctor
