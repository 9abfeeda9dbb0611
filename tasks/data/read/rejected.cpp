#include "kernmill/tasks/data/read/rejected.hpp"

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/tasks/data/store/ordered_text.hpp"

namespace kernmill::tasks {

void write_rejected(const Communicator& comm, const std::filesystem::path& file,
                    const std::vector<RejectedRow>& rejected, const Scratch& scratch) {
  OrderedText text(scratch);
  comm.agree([&] {
    if (comm.is_root()) text.append("row,line,column,field,value,reason\n");
    for (const auto& bad : rejected)
      text.append(fmt::format("{},{},{},{},{},{}\n", bad.row, bad.place.line, bad.place.column,
                              csv_field(bad.column), csv_field(bad.value), csv_field(bad.reason)));
  });
  write_in_rank_order(comm, file, text);
}

}  // namespace kernmill::tasks
