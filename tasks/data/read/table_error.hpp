#pragma once
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

/// What `work` gives. What is wrong with a table is why the task fails.
template <class Work>
auto as_task_error(const Work& work) {
  try {
    return work();
  } catch (const TableError& e) {
    throw TaskError(e.what(), e.where, e.help);
  }
}

}  // namespace kernmill::tasks
