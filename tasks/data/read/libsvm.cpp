#include "kernmill/tasks/data/read/libsvm.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "kernmill/tasks/data/read/packed_texts.hpp"
#include "kernmill/tasks/data/read/table_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t enough = std::uint64_t{1} << 20U;

/// The files from where their text begins.
std::vector<RecordFiles::File> texts_of(const InputFiles& files) {
  std::vector<RecordFiles::File> records;
  for (const auto& file : files) {
    const std::string beginning = file->read(0, enough);
    const auto begin = as_task_error([&] { return begin_of_text(beginning, file->named(), "LIBSVM"); });
    records.push_back({file, begin, 1});
  }
  return records;
}

/// N of "fN"; nothing of any other name, or of one that no file of this format has.
std::optional<std::uint64_t> index_in(std::string_view name) {
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), index);
  const bool whole = error == std::errc{} && end == name.data() + name.size() && index <= largest_svm_index;
  return whole && name == fmt::format("f{}", index) ? std::optional(index) : std::nullopt;
}

}  // namespace

template <class Work>
void SvmInput::each_line(const Communicator& comm, const Work& work) const {
  const auto mine = records_.pieces(comm);
  comm.agree([&] {
    SvmLine line;
    for (const auto& piece : mine)
      records_.each_chunk(piece, [&](std::string_view text, std::uint64_t number) {
        for (; !text.empty(); ++number) {
          const std::string_view whole_line = text.substr(0, text.find('\n'));
          const SvmMistake mistake = parse_svm_line(whole_line, line);
          if (!line.label.empty() || !mistake.reason.empty())
            work(line, mistake, whole_line, records_.files()[piece.file].file->named().string(), number);
          text.remove_prefix(std::min(whole_line.size() + 1, text.size()));
        }
        return number;
      });
  });
}

SvmInput::SvmInput(const Communicator& comm, const InputFiles& files, const std::vector<std::string>& known)
    : records_({}, false) {
  comm.agree([&] { records_ = RecordFiles(texts_of(files), false); });
  std::uint64_t largest = 0, smallest = 1;
  each_line(comm, [&](const SvmLine& line, const SvmMistake& mistake, std::string_view, const std::string&,
                      std::uint64_t) {
    ++rows_;
    if (line.entries.empty() || !mistake.reason.empty()) return;  // told when the row is read
    entries_ += line.entries.size();
    largest = std::max(largest, line.entries.back().index);
    smallest = std::min(smallest, line.entries.front().index);
  });
  last_index_ = comm.allreduce(largest, Reduction::max);
  first_index_ = comm.allreduce(smallest, Reduction::min);
  rows_ = comm.allreduce(rows_, Reduction::sum);
  entries_ = comm.allreduce(entries_, Reduction::sum);
  know(known);
  if (last_index_ < first_index_)
    throw TaskError(fmt::format("{} has no values", name()), name(),
                    "its lines should be: label index:value index:value ...");
}

void SvmInput::know(const std::vector<std::string>& columns) {
  if (columns.empty()) return;
  std::uint64_t least = first_index_, most = 0;
  for (const auto& column : columns) {
    if (column == "label") continue;
    const auto index = column.empty() ? std::nullopt : index_in(column);
    if (!index) return;  // they are those of another format
    least = std::min(least, *index);
    most = std::max(most, *index);
  }
  first_index_ = least;
  last_index_ = std::max(last_index_, most);
  largest_known_ = most;
}

const std::vector<std::string>& SvmInput::names() const {
  if (!names_.empty()) return names_;
  if (columns() > most_dense_columns)
    throw TaskError(
        fmt::format("{} has {} columns, too many for rows that hold every one of them", name(), columns()),
        name(), "`sparse: true` of preprocess keeps what is not 0 alone");
  names_ = {"label"};
  for (std::uint64_t i = 0; i < columns(); ++i) names_.push_back(feature_name(i));
  return names_;
}

std::string SvmInput::feature_name(std::uint64_t column) const {
  return fmt::format("f{}", first_index_ + column);
}

double SvmInput::density() const {
  return static_cast<double>(entries_) /
         (static_cast<double>(std::max<std::uint64_t>(rows_, 1)) * static_cast<double>(columns()));
}

std::string SvmInput::name() const {
  return records_.files().front().file->named().string();
}

std::vector<std::string> SvmInput::first_labels(const Communicator& comm, std::size_t rows) const {
  std::vector<std::string> labels;
  if (comm.is_root()) {
    const std::string text = records_.files()[0].file->read(records_.files()[0].data_begin, enough);
    SvmLine line;
    for (std::size_t at = 0; at < text.size() && labels.size() < rows;) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      if (parse_svm_line(std::string_view(text).substr(at, end - at), line).reason.empty() &&
          !line.label.empty())
        labels.emplace_back(line.label);
      at = end + 1;
    }
  }
  share_texts(comm, labels);
  return labels;
}

std::vector<std::vector<std::string>> SvmInput::first_rows(const Communicator& comm, std::size_t rows) const {
  constexpr std::size_t most_fields = std::size_t{1} << 22U;  // a short file may have wide rows
  const std::size_t width = names().size();
  rows = std::min(rows, std::max<std::size_t>(1, most_fields / width));
  std::vector<std::vector<std::string>> table;
  for (const auto& label : first_labels(comm, rows)) {
    auto& row = table.emplace_back(width, "0");
    row[0] = label;
  }
  return table;
}

/// The values of a line in the order of the wanted columns. `bad.reason` says what is wrong.
void SvmInput::take(const SvmLine& line, const Selection& selection, const std::vector<std::size_t>& wanted,
                    RejectedRow& bad, ValueJudge& judge, double* slots) const {
  constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();
  bad.place.column = line.label_at + 1;
  for (std::size_t i = 0; i < selection.columns.size(); ++i) {
    if (selection.columns[i].column == 0) {
      bad.reason = judge.take_text(i, line.label, slots[i]);
      bad.value = line.label;
      bad.column = "label";
    } else {
      slots[i] = 0;
      if (selection.columns[i].text) bad.reason = judge.take_number(i, 0, slots[i]);
    }
    if (!bad.reason.empty()) return;
  }
  for (const auto& [index, value, at] : line.entries) {
    bad.place.column = at + 1;
    bad.value = fmt::format("{}", value);
    if (!is_known(index, bad)) return;
    const std::size_t i = wanted[index - first_index_ + 1];
    if (i != nobody) bad.reason = judge.take_number(i, value, slots[i]);
    bad.column = feature_name(index - first_index_);
    if (!bad.reason.empty()) return;
  }
}

/// Whether it is one of the columns of what a model was trained on, where it is for one.
bool SvmInput::is_known(std::uint64_t index, RejectedRow& bad) const {
  if (index <= largest_known_.value_or(index)) return true;
  bad.column = feature_name(index - first_index_);
  bad.reason =
      fmt::format("is beyond f{}, the last column of what the model was trained on", *largest_known_);
  bad.help = "is it the right file? Leave out what the model does not know, or train it on such a file";
  return false;
}

RejectedRow SvmInput::mistake_in(const SvmMistake& mistake, std::string_view text, const std::string& file,
                                 std::uint64_t line) {
  RejectedRow bad{0, file, {line, mistake.at + 1}, "", "", mistake.reason, ""};
  if (mistake.reason.empty()) return bad;
  bad.value = text.substr(mistake.at, mistake.length);
  bad.column = "label or index:value";
  return bad;
}

/// Leaves the row out, or throws.
void SvmInput::reject(RejectedRow bad, const Selection& selection, RawTable& table) {
  if (selection.on_bad_row != OnBadRow::skip) throw error_of(bad);
  bad.row = table.read++;
  table.rejected.push_back(std::move(bad));
}

RawTable SvmInput::read(const Communicator& comm, const Selection& selection, const Buffer& buffer) const {
  std::vector<std::size_t> wanted(columns() + 1, std::numeric_limits<std::size_t>::max());
  for (std::size_t i = 0; i < selection.columns.size(); ++i) wanted[selection.columns[i].column] = i;
  RawTable table(selection, buffer);
  ValueJudge judge(selection, table);
  each_line(comm, [&](const SvmLine& line, const SvmMistake& mistake, std::string_view text,
                      const std::string& file, std::uint64_t number) {
    RejectedRow bad = mistake_in(mistake, text, file, number);
    if (bad.reason.empty()) take(line, selection, wanted, bad, judge, table.rows.next());
    if (!bad.reason.empty()) return reject(std::move(bad), selection, table);
    table.rows.next()[selection.columns.size()] = static_cast<double>(table.read++);
    table.rows.keep();
  });
  number_rows(comm, *this, table);
  return table;
}

struct SvmInput::SparseRow {
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
};

/// The label into its slot, where it is wanted, and what is not 0. `bad.reason` says what is wrong.
void SvmInput::take_sparse(const SvmLine& line, const Selection& beside, std::uint64_t first,
                           ValueJudge& judge, RejectedRow& bad, double* slots, SparseRow& row) const {
  row.columns.clear();
  row.values.clear();
  if (!beside.columns.empty()) bad.reason = judge.take_text(0, line.label, slots[0]);
  if (!bad.reason.empty()) {
    bad.place.column = line.label_at + 1;
    bad.value = line.label;
    bad.column = "label";
    return;
  }
  for (const auto& [index, value, at] : line.entries) {
    bad.place.column = at + 1;
    bool good = index < first || is_known(index, bad);
    if (good && judge.means_missing(value)) {
      good = false;
      bad.column = fmt::format("f{}", index);
      bad.reason = "means a missing value (`missing`), and there is none in sparse rows";
      bad.help = "correct the value, or read whole rows: sparse: false";
    }
    if (!good) {
      bad.value = fmt::format("{}", value);
      return;
    }
    if (index < first || value == 0) continue;
    row.columns.push_back(static_cast<std::uint32_t>(index - first));
    row.values.push_back(value);
  }
}

SvmInput::SparseTable SvmInput::read_sparse(const Communicator& comm, const Selection& beside,
                                            const Buffer& buffer, std::uint64_t first) const {
  SparseTable all{RawTable(beside, buffer), SparseStore(buffer)};
  RawTable& table = all.beside;
  ValueJudge judge(beside, table);
  SparseRow row;
  each_line(comm, [&](const SvmLine& line, const SvmMistake& mistake, std::string_view text,
                      const std::string& file, std::uint64_t number) {
    RejectedRow bad = mistake_in(mistake, text, file, number);
    if (bad.reason.empty()) take_sparse(line, beside, first, judge, bad, table.rows.next(), row);
    if (!bad.reason.empty()) return reject(std::move(bad), beside, table);
    all.features.append(row.columns, row.values);
    table.rows.next()[beside.columns.size()] = static_cast<double>(table.read++);
    table.rows.keep();
  });
  number_rows(comm, *this, table);
  return all;
}

}  // namespace kernmill::tasks
