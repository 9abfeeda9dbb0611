#include "kernmill/slurm/settle/settle.hpp"

#include <algorithm>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

bool is_one_number_of_nodes(const JobRequest& request) {
  return !request.nodes_max || *request.nodes_max == 0 || request.nodes_max == request.nodes_min;
}

void settle_nodes(JobRequest& request, const Dialect& dialect) {
  if (request.nodelist.empty() || (dialect.nodes_from_tasks && request.nodes_min)) return;
  request.nodes_min = std::max(count_hosts(request.nodelist), request.nodes_min.value_or(0));
}

/// Nodes without a number of tasks have one each, or one for each of the sockets, cores or threads asked for.
std::uint32_t tasks_of_nodes(const JobRequest& request) {
  std::uint32_t tasks = std::max(*request.nodes_min, 1U);
  for (const JobRequest::Number& factor :
       {request.sockets_per_node, request.cores_per_socket, request.threads_per_core}) {
    tasks *= factor.value_or(1);
  }
  return tasks;
}

void settle_tasks(JobRequest& request) {
  if (!request.nodes_min) return;
  if (request.ntasks) {
    if (request.nodes_max) request.nodes_max = std::min(*request.nodes_max, *request.ntasks);
    if (*request.ntasks < *request.nodes_min) request.nodes_min = request.nodes_max = request.ntasks;
  } else if (is_one_number_of_nodes(request) && !request.ntasks_per_node &&
             (request.sockets_per_node || request.cores_per_socket || request.threads_per_core)) {
    request.ntasks = tasks_of_nodes(request);
  }
}

/// The number of tasks that CPUs are asked for.
std::uint32_t tasks_to_place(const JobRequest& request) {
  if (request.ntasks) return *request.ntasks;
  if (!is_one_number_of_nodes(request)) return 1;
  const std::uint32_t nodes = std::max(request.nodes_min.value_or(1), 1U);
  return request.ntasks_per_node ? nodes * *request.ntasks_per_node : nodes;
}

}  // namespace

void settle(JobRequest& request, const Dialect& dialect) {
  settle_nodes(request, dialect);
  if (request.ntasks_per_node && !request.ntasks && !dialect.nodes_from_tasks &&
      is_one_number_of_nodes(request)) {
    request.ntasks = request.nodes_min.value_or(1) * *request.ntasks_per_node;
  }
  if (request.cpus_per_task) request.mincpus = std::max(request.mincpus.value_or(0), *request.cpus_per_task);
  settle_tasks(request);
  if (request.overcommit)
    request.min_cpus = std::max(request.nodes_min.value_or(1), 1U);
  else if (request.nodes_min == 0U && !request.cpus_per_task)
    request.min_cpus = 0;
  else
    request.min_cpus = tasks_to_place(request) * request.cpus_per_task.value_or(1);
  if (dialect.nodes_from_tasks && !request.nodes_min && request.ntasks &&
      request.ntasks_per_node.value_or(0) > 0) {
    request.nodes_min = (*request.ntasks + *request.ntasks_per_node - 1) / *request.ntasks_per_node;
  }
}

}  // namespace kernmill::slurm
