#pragma once
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/read/dictionary.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

/// Whole numbers, or any, that a type has room for.
struct Limits {
  double lowest = 0, highest = 0;
  bool whole = false;
  std::string type{};  ///< as messages call it
  [[nodiscard]] bool hold(double value) const {
    return value >= lowest && value <= highest && (!whole || value == std::floor(value));
  }
};

/// A column that is wanted of an input, and as what.
struct Wanted {
  std::size_t column = 0;
  bool text = false;                 ///< its codes are wanted, not its numbers
  bool positive = false;             ///< numbers must be above zero (their logarithm is taken)
  bool not_negative = false;         ///< numbers must not be below zero: they are weights
  bool may_be_missing = false;       ///< as NaN
  std::vector<std::string> known{};  ///< texts that have the first codes
  bool only_known = false;           ///< any other text is a bad value
  bool maybe_number = false;         ///< a text that may turn out to be a number, like all others
  storage::Element type =
      storage::Element::f64;       ///< holds all its numbers (and NaN, where one may be missing)
  std::optional<Limits> limits{};  ///< other numbers are bad values
};

/// What becomes of a row with a bad value: it is an error, it is left out, or the value counts as missing
/// where it may be missing, and is an error elsewhere.
enum class OnBadRow { error, skip, impute };
OnBadRow on_bad_row_of(const std::string& setting);

struct Selection {
  std::vector<Wanted> columns;
  std::vector<std::string> missing;  ///< texts that mean a missing value, besides the usual ones
  OnBadRow on_bad_row = OnBadRow::error;
};

/// A row that was left out, and the first thing wrong with it.
struct RejectedRow {
  std::uint64_t row = 0;  ///< 0-based data row
  std::string file;
  CsvPlace place;
  std::string column, value, reason;
  std::string help{};  ///< the way out, where it is not the usual one
};

/// A rank's rows of the wanted columns, in the order of the input; the ranks' rows follow each other.
struct RawTable {
  RowStore rows;                         ///< the wanted values, then the row's number among this rank's
  std::vector<Dictionary> dictionaries;  ///< this rank's, by wanted column
  std::vector<RejectedRow> rejected;
  std::uint64_t read = 0;        ///< rows of this rank, rejected ones included
  std::uint64_t first_row = 0;   ///< the number of this rank's first row among all
  std::uint64_t total_rows = 0;  ///< of all ranks, rejected ones included
  std::uint64_t imputed = 0;     ///< bad values of this rank that count as missing

  RawTable(const Selection& selection, const Buffer& buffer);
};

/// Tabular data in files of some format.
class Input {
 public:
  virtual ~Input() = default;
  [[nodiscard]] virtual const std::vector<std::string>& names() const = 0;
  /// A type that holds every value of a column, where it is one of numbers.
  [[nodiscard]] virtual storage::Element type(std::size_t /*column*/) const { return storage::Element::f64; }
  /// How errors and notes call it.
  [[nodiscard]] virtual std::string name() const = 0;
  /// Collective. The first rows as texts, by row and column: as many as `rows` or fewer, on every rank.
  [[nodiscard]] virtual std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                         std::size_t rows) const = 0;
  /// Collective. Throws TaskError on every rank: that of the first bad row, whatever the number of ranks.
  [[nodiscard]] virtual RawTable read(const Communicator& comm, const Selection& selection,
                                      const Buffer& buffer) const = 0;
};

/// Collective. Opens what the spec's `inputs.input` names; `config.format` or the name tells its format.
/// `known` are the columns of what a model was trained on, if it is for one: in a format that leaves out what
/// is 0 they are columns, too, and there are none above them.
std::unique_ptr<Input> open_input(const Communicator& comm, const Spec& spec,
                                  const std::vector<std::string>& known = {});

/// The index of a column. Throws TaskError when there is none, with a name that may be meant.
std::size_t column_index(const Input& input, const std::string& name, const std::string& wanted_as);

/// Whether a text means that there is no value: an empty one, NA, N/A, NaN, nan, null, NULL, None, or any of
/// those in `more`.
bool means_missing(std::string_view text, const std::vector<std::string>& more);

/// Collective: numbers this rank's rows among all ranks'. Throws TaskError when there are none at all.
void number_rows(const Communicator& comm, const Input& input, RawTable& table);

/// "file:line:column" of a rejected row, or "file, row N" where a file has no lines.
std::string place_of(const RejectedRow& bad);
TaskError error_of(const RejectedRow& bad);

/// A value as messages show it: the beginning of a long one.
std::string shown(const std::string& value);

/// Judges values one by one, in the order of the wanted columns, as a Selection wants them. For formats that
/// have no fast path of their own.
class ValueJudge {
 public:
  ValueJudge(const Selection& selection, RawTable& table);
  /// Puts the value into `slot`; a reason when it is bad.
  std::string take_text(std::size_t wanted, std::string_view text, double& slot);
  std::string take_number(std::size_t wanted, double number, double& slot);
  /// Whether it is one of the texts that mean a missing value, in any spelling: -999 and -999.0.
  [[nodiscard]] bool means_missing(double number) const;
  [[nodiscard]] bool knows_missing_numbers() const { return !missing_.empty(); }
  /// A value that is bad for a reason that only the format knows: the reason, unless it counts as missing.
  std::string refuse(std::size_t wanted, std::string reason, double& slot) {
    return bad(wanted, std::move(reason), slot);
  }

 private:
  std::string take_category(std::size_t wanted, std::string_view text, double& slot);
  std::string bad(std::size_t wanted, std::string reason, double& slot);
  const Selection* selection_;
  RawTable* table_;
  std::vector<double> missing_;  ///< the numbers that mean a missing value
};

}  // namespace kernmill::tasks
