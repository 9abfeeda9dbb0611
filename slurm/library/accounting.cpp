#include "kernmill/slurm/library/accounting.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include "kernmill/slurm/library/compat.hpp"
#include "kernmill/slurm/library/translate.hpp"

namespace kernmill::slurm {
namespace {

/// Keeps libslurm from writing to stderr: that a database does not answer is a fact here, and no error.
class Silence {
 public:
  Silence() : stderr_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (stderr_ >= 0 && nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) ::close(nowhere);
  }
  ~Silence() {
    if (stderr_ < 0) return;
    ::dup2(stderr_, STDERR_FILENO);
    ::close(stderr_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int stderr_;
};

/// A connection to slurmdbd, or none.
class Database {
 public:
  Database() {
    std::uint16_t flags = 0;
    connection_ = slurmdb_connection_get(&flags);
  }
  ~Database() {
    if (connection_ != nullptr) slurmdb_connection_close(&connection_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  [[nodiscard]] void* get() const { return connection_; }

 private:
  void* connection_ = nullptr;
};

/// Hands every record of a list to `take`, then frees the list. False when there is no list.
template <class Record, class List, class Take>
bool consume(List list, Take take) {
  if (list == nullptr) return false;
  auto iterator = slurm_list_iterator_create(list);
  while (auto* record = static_cast<Record*>(slurm_list_next(iterator))) take(*record);
  slurm_list_iterator_destroy(iterator);
  slurm_list_destroy(list);
  return true;
}

/// A list of one text, which stays the caller's.
class OneText {
 public:
  explicit OneText(std::string text) : text_(std::move(text)), list_(slurm_list_create(nullptr)) {
    slurm_list_append(list_, text_.data());
  }
  ~OneText() { slurm_list_destroy(list_); }
  OneText(const OneText&) = delete;
  OneText& operator=(const OneText&) = delete;
  [[nodiscard]] auto* get() const { return list_; }

 private:
  std::string text_;
  decltype(slurm_list_create(nullptr)) list_;
};

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

void add_limit(ClusterFacts& facts, const std::string& name, std::uint32_t jobs) {
  if (jobs != NO_VAL && jobs != INFINITE) facts.submit_limits[name] = jobs;
}

std::string user_name() {
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr ? std::string() : user->pw_name;
}

/// Accounts, their limits, and the numbers of their QOS. False when the database does not answer.
bool load_associations(const Database& database, ClusterFacts& facts, std::vector<std::string>& qos_numbers) {
  const OneText user(user_name()), cluster(facts.name);
  slurmdb_assoc_cond_t condition{};
  condition.user_list = user.get();
  condition.cluster_list = cluster.get();
  std::vector<std::string> accounts;
  const bool has_answered = consume<slurmdb_assoc_rec_t>(
      slurmdb_associations_get(database.get(), &condition), [&](slurmdb_assoc_rec_t& found) {
        const std::string account = or_empty(found.acct);
        add_once(accounts, account);
        add_limit(facts, "account " + account, found.max_submit_jobs);
        if (found.qos_list == nullptr) return;
        auto iterator = slurm_list_iterator_create(found.qos_list);
        while (const auto* number = static_cast<char*>(slurm_list_next(iterator)))
          add_once(qos_numbers, number);
        slurm_list_iterator_destroy(iterator);
      });
  if (has_answered) facts.accounts = std::move(accounts);
  return has_answered;
}

void load_qos(const Database& database, ClusterFacts& facts, const std::vector<std::string>& numbers) {
  slurmdb_qos_cond_t condition{};
  std::vector<std::string> names;
  const bool has_answered =
      consume<slurmdb_qos_rec_t>(slurmdb_qos_get(database.get(), &condition), [&](slurmdb_qos_rec_t& found) {
        if (std::find(numbers.begin(), numbers.end(), std::to_string(found.id)) == numbers.end()) return;
        const std::string name = or_empty(found.name);
        add_once(names, name);
        add_limit(facts, "QOS " + name, found.max_submit_jobs_pu);
      });
  if (has_answered) facts.qos = std::move(names);
}

}  // namespace

void load_accounting(ClusterFacts& facts) {
  const Silence silence;
  const Database database;
  std::vector<std::string> qos_numbers;
  if (database.get() != nullptr && load_associations(database, facts, qos_numbers))
    load_qos(database, facts, qos_numbers);
}

}  // namespace kernmill::slurm
