#include "kernmill/tasks/data/prepare/locate_row.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

RejectedRow locate_row(const Communicator& comm, const Input& input, Selection selection, std::uint64_t row) {
  selection.on_bad_row = OnBadRow::skip;
  const RawTable table = input.read(comm, selection, {});
  const auto found = std::find_if(table.rejected.begin(), table.rejected.end(),
                                  [&](const RejectedRow& rejected) { return rejected.row == row; });
  const bool here = found != table.rejected.end();
  const int owner = comm.allreduce(here ? comm.rank() : comm.size(), Reduction::min);
  if (owner == comm.size())
    throw TaskError(fmt::format("{} changed while it was read", input.name()), {}, "run the stage again");
  RejectedRow bad = here ? *found : RejectedRow{};
  bad.row = row;
  for (std::string* text : {&bad.file, &bad.column, &bad.value, &bad.reason}) comm.bcast(*text, owner);
  comm.bcast(std::span(&bad.place.line, 1), owner);
  comm.bcast(std::span(&bad.place.column, 1), owner);
  return bad;
}

}  // namespace kernmill::tasks
