#include "vault/secrets.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "base/text.hpp"

namespace sidecar_executor::vault {
namespace {

/// Reads at the same time; each needs a connection.
constexpr std::size_t at_once = 4;

std::string name_of(const std::string& assignment) {
  return assignment.substr(0, assignment.find('='));
}

/// Empty without a `=`.
std::string_view value_of(const std::string& assignment) {
  const auto equals = assignment.find('=');
  return equals == std::string::npos ? std::string_view()
                                     : std::string_view(assignment).substr(equals + 1);
}

}  // namespace

/// One path (of one version), and what Vault has there.
struct Secrets::Read {
  SecretRef ref;
  std::string first_user;  // the variable that messages name
  Mount mount;
  Answer answer;
};

/// A variable that is to get a secret.
struct Secrets::Wanted {
  std::size_t variable = 0;  // index into the environment
  SecretRef ref;
  std::size_t read = 0;
};

std::optional<std::string> first_to_resolve(const std::vector<std::string>& environment) {
  const auto found = std::find_if(
      environment.begin(), environment.end(),
      [](const std::string& assignment) { return is_secret_ref(value_of(assignment)); });
  if (found == environment.end()) return std::nullopt;
  return one_line(name_of(*found), 100);
}

asio::awaitable<Result<std::vector<std::string>>> Secrets::resolve(
    std::vector<std::string> environment) {
  std::vector<Wanted> wanted;
  std::vector<Read> reads;
  for (std::size_t i = 0; i < environment.size(); ++i) {
    if (!is_secret_ref(value_of(environment[i]))) continue;
    const std::string name = one_line(name_of(environment[i]), 100);
    // dockerd repeats such a variable, with its value, in its refusal.
    if (name.empty()) co_return Error{ErrorKind::invalid, "a variable with a secret has no name"};
    auto ref = parse_secret_ref(value_of(environment[i]));
    if (!ref) co_return ref.error().during("variable", name);
    const auto same = std::find_if(reads.begin(), reads.end(), [&ref](const Read& read) {
      return read.ref.path == ref->path && read.ref.version == ref->version;
    });
    const auto index = static_cast<std::size_t>(same - reads.begin());
    if (same == reads.end()) reads.push_back({*ref, name, {}, {}});
    wanted.push_back({i, std::move(*ref), index});
  }
  const auto done = co_await read_all(reads);
  if (!done) co_return done.error();
  for (const auto& want : wanted) {
    const Read& read = reads[want.read];
    const std::string name = name_of(environment[want.variable]);
    const auto value = secret_value(read.answer, want.ref, read.mount);
    if (!value) {
      wipe(environment);
      co_return value.error().during("variable", one_line(name, 100));
    }
    log_.info("Secret read from Vault", {{"variable", name},
                                         {"path", want.ref.path},
                                         {"key", want.ref.key},
                                         {"kv", read.mount.versions ? "2" : "1"}});
    environment[want.variable] = name + "=" + value->text();
  }
  co_return environment;
}

asio::awaitable<Result<void>> Secrets::read_all(std::vector<Read>& reads) {
  auto token = co_await login_.shared_token();
  if (!token) co_return token.error().during("variable", reads.front().first_user);
  token_ = std::move(*token);
  for (bool renewed = false;; renewed = true) {
    const auto failed = co_await read_at_once(reads);
    if (!failed) co_return boost::system::in_place_value;
    if (failed->http_status != 403 || renewed || !co_await token_is_dead()) co_return *failed;
    auto another = co_await login_.another_token(token_.secret);
    if (!another) co_return another.error().during("variable", reads.front().first_user);
    token_ = std::move(*another);
  }
}

/// The first error; it ends what is still being read.
asio::awaitable<std::optional<Error>> Secrets::read_at_once(std::vector<Read>& reads) {
  net::Cancellation stop;
  const auto hook = client_.cancellation().on_cancel([&stop] { stop.cancel(); });
  Client client = client_.with(stop);
  std::size_t next = 0;
  std::size_t running = 0;
  std::optional<Error> failed;
  net::Signal ended(client_.executor());
  const auto work = [&]() -> asio::awaitable<void> {
    while (next < reads.size() && !failed) {
      Read& mine = reads[next++];
      const auto done = co_await read(client, mine);
      if (done || failed) continue;
      failed = done.error().during("variable", mine.first_user);
      stop.cancel();
    }
  };
  for (; running < std::min(at_once, reads.size()); ++running) {
    asio::co_spawn(client_.executor(), work(), [&](const std::exception_ptr& bug) {
      if (bug) std::rethrow_exception(bug);
      --running;
      ended.raise();
    });
  }
  while (running > 0) co_await ended.wait();
  co_return failed;
}

/// A 403 may be a policy that does not allow the path, or a token that has ended.
asio::awaitable<bool> Secrets::token_is_dead() {
  const auto state = co_await login_.look_up(token_.secret);
  co_return state && !*state;
}

asio::awaitable<Result<void>> Secrets::read(Client& client, Read& read) {
  auto mount = co_await find_mount(client, read.ref.path);
  if (!mount) co_return mount.error();
  read.mount = std::move(*mount);
  Call call;
  call.path = secret_target(read.ref, read.mount);
  call.token = token_.secret;
  const auto reply = co_await client.call(std::move(call));
  if (!reply) co_return reply.error();
  if (reply->status == 404) {
    auto why = Answer::parse(reply->body.text());
    if (!why) why = Answer();
    co_return secret_missing(*why, read.ref, read.mount).during(reply->where);
  }
  auto answer = reply->answer();
  if (!answer) co_return answer.error();
  read.answer = std::move(*answer);
  co_return boost::system::in_place_value;
}

/// Where Vault does not tell (an old one, or one that does not let us ask), it is KV version 1.
asio::awaitable<Result<Mount>> Secrets::find_mount(Client& client, const std::string& path) {
  for (const auto& known : mounts_) {
    if (path.starts_with(known.path)) co_return known;
  }
  Call call;
  call.path = "sys/internal/ui/mounts/" + encode_path(path);
  call.token = token_.secret;
  const auto reply = co_await client.call(std::move(call));
  if (!reply) co_return reply.error();
  if (reply->status == 403 || reply->status == 404) co_return Mount();
  const auto answer = reply->answer();
  if (!answer) co_return answer.error();
  Mount mount = mount_of(*answer);
  if (mount.versions && !path.starts_with(mount.path)) mount = Mount();
  if (mount.versions) mounts_.push_back(mount);
  co_return mount;
}

}  // namespace sidecar_executor::vault
