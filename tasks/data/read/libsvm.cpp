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
  std::uint64_t largest = 0;
  std::uint64_t smallest = 1;
  each_line(comm, [&](const SvmLine& line, const SvmMistake& mistake, std::string_view, const std::string&,
                      std::uint64_t) {
    if (line.entries.empty() || !mistake.reason.empty()) return;  // told when the row is read
    largest = std::max(largest, line.entries.back().index);
    smallest = std::min(smallest, line.entries.front().index);
  });
  last_index_ = comm.allreduce(largest, Reduction::max);
  first_index_ = comm.allreduce(smallest, Reduction::min);
  know(known);
  names_ = {"label"};
  for (std::uint64_t i = first_index_; i <= last_index_; ++i) names_.push_back(fmt::format("f{}", i));
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

std::string SvmInput::name() const {
  return records_.files().front().file->named().string();
}

std::vector<std::vector<std::string>> SvmInput::first_rows(const Communicator& comm, std::size_t rows) const {
  constexpr std::size_t most_fields = std::size_t{1} << 22U;  // a short file may have wide rows
  rows = std::min(rows, std::max<std::size_t>(1, most_fields / names_.size()));
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
  std::vector<std::vector<std::string>> table;
  for (const auto& label : labels) {
    auto& row = table.emplace_back(names_.size(), "0");
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
    const bool known = index <= largest_known_.value_or(index);
    const std::size_t i = known ? wanted[index - first_index_ + 1] : nobody;
    if (i != nobody) bad.reason = judge.take_number(i, value, slots[i]);
    if (!known) {
      bad.reason =
          fmt::format("is beyond f{}, the last column of what the model was trained on", *largest_known_);
      bad.help = "is it the right file? Leave out what the model does not know, or train it on such a file";
    }
    if (bad.reason.empty()) continue;
    bad.place.column = at + 1;
    bad.value = fmt::format("{}", value);
    bad.column = names_[index - first_index_ + 1];
    return;
  }
}

RawTable SvmInput::read(const Communicator& comm, const Selection& selection, const Buffer& buffer) const {
  std::vector<std::size_t> wanted(names_.size(), std::numeric_limits<std::size_t>::max());
  for (std::size_t i = 0; i < selection.columns.size(); ++i) wanted[selection.columns[i].column] = i;
  RawTable table(selection, buffer);
  ValueJudge judge(selection, table);
  each_line(comm, [&](const SvmLine& line, const SvmMistake& mistake, std::string_view text,
                      const std::string& file, std::uint64_t number) {
    RejectedRow bad{table.read, file, {number, mistake.at + 1}, "", "", "", ""};
    if (mistake.reason.empty()) {
      take(line, selection, wanted, bad, judge, table.rows.next());
    } else {
      bad.reason = mistake.reason;
      bad.value = text.substr(mistake.at, mistake.length);
      bad.column = "label or index:value";
    }
    if (bad.reason.empty()) {
      table.rows.next()[selection.columns.size()] = static_cast<double>(table.read++);
      table.rows.keep();
      return;
    }
    if (selection.on_bad_row != OnBadRow::skip) throw error_of(bad);
    ++table.read;
    table.rejected.push_back(std::move(bad));
  });
  number_rows(comm, *this, table);
  return table;
}

}  // namespace kernmill::tasks
