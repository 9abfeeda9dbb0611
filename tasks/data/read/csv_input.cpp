#include "kernmill/tasks/data/read/csv_input.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/data/read/csv_rows.hpp"
#include "kernmill/tasks/data/read/packed_texts.hpp"
#include "kernmill/tasks/data/read/table_error.hpp"

namespace kernmill::tasks {
namespace {

void require_same_columns(const std::vector<CsvHeader>& headers, const InputFiles& files) {
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].names == headers[0].names) continue;
    const auto [first, other] = std::mismatch(headers[0].names.begin(), headers[0].names.end(),
                                              headers[i].names.begin(), headers[i].names.end());
    const auto shown = [](const auto& it, const auto& end) {
      return it == end ? "nothing" : "'" + *it + "'";
    };
    throw TaskError(
        fmt::format("the columns of {} are not those of {}", files[i]->named().string(),
                    files[0]->named().string()),
        files[i]->named().string() + ":1:1",
        fmt::format("column {} is {} there and {} here; files that are read together have the same header",
                    first - headers[0].names.begin() + 1, shown(first, headers[0].names.end()),
                    shown(other, headers[i].names.end())));
  }
}

}  // namespace

CsvHeader read_csv_header(const InputFile& file, CsvFormat format) {
  return as_task_error([&] {
    return kernmill::read_csv_header(
        [&](std::uint64_t offset, std::uint64_t count) { return file.read(offset, count); }, file.named(),
        format);
  });
}

CsvInput::CsvInput(const Communicator& comm, InputFiles files, CsvFormat format)
    : files_(std::move(files)), format_(format) {
  std::vector<RecordFiles::File> records;
  comm.agree([&] {
    for (const auto& file : files_) {
      headers_.push_back(read_csv_header(*file, format_));
      records.push_back({file, headers_.back().data_begin, headers_.back().data_line});
    }
    require_same_columns(headers_, files_);
  });
  records_ = RecordFiles(std::move(records), true);
}

std::string CsvInput::name() const {
  return files_.front()->named().string();
}

std::vector<std::vector<std::string>> CsvInput::first_rows(const Communicator& comm, std::size_t rows) const {
  constexpr std::uint64_t enough = std::uint64_t{1} << 20U;
  std::vector<std::string> texts;
  const std::size_t columns = names().size();
  if (comm.is_root()) {
    const std::string text = files_[0]->read(headers_[0].data_begin, enough);
    CsvCursor cursor(std::string_view(text).substr(
                         0, text.size() < enough ? text.size() : cut_at_record(text, text.size())),
                     format_.delimiter, 1);
    std::vector<CsvField> fields;
    try {
      while (texts.size() < rows * columns && cursor.next(fields))
        if (fields.size() == columns)
          for (const CsvField& field : fields)
            texts.push_back(with_decimal_point(field.text(), format_.decimal));
    } catch (const CsvError&) {  // told when the row is read
    }
  }
  share_texts(comm, texts);
  std::vector<std::vector<std::string>> table;
  for (auto begin = texts.begin(); begin != texts.end(); begin += static_cast<std::ptrdiff_t>(columns))
    table.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(columns));
  return table;
}

RawTable CsvInput::read(const Communicator& comm, const Selection& selection, const Buffer& buffer) const {
  const auto mine = records_.pieces(comm);
  RawTable table(selection, buffer);
  comm.agree([&] {
    for (const auto& piece : mine) {
      CsvRows rows(files_[piece.file]->named().string(), names(), format_, selection, table);
      records_.each_chunk(piece,
                          [&](std::string_view text, std::uint64_t line) { return rows.read(text, line); });
    }
  });
  number_rows(comm, *this, table);
  return table;
}

}  // namespace kernmill::tasks
