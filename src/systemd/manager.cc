#include "systemd/manager.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include <sys/stat.h>

namespace berth::systemd {

namespace {

constexpr const char* kOwnSocket = "/run/systemd/private";
constexpr const char* kBusSocket = "/run/dbus/system_bus_socket";
constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kInterface = "org.freedesktop.systemd1.Manager";
constexpr const char* kBusService = "org.freedesktop.DBus";
constexpr const char* kBusObject = "/org/freedesktop/DBus";
constexpr std::string_view kUnitExists = "org.freedesktop.systemd1.UnitExists";
constexpr std::string_view kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr size_t kStructAlignment = 8;

// As long as other runtimes wait for systemd.
Bus::Clock::time_point soon() {
  constexpr std::chrono::seconds kPatience{30};
  return Bus::Clock::now() + kPatience;
}

void put_value(Writer& writer, const Property::Value& value) {
  if (const bool* flag = std::get_if<bool>(&value)) {
    writer.signature("b");
    writer.boolean(*flag);
  } else if (const uint64_t* number = std::get_if<uint64_t>(&value)) {
    writer.signature("t");
    writer.number(*number);
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    writer.signature("s");
    writer.string(*text);
  } else if (const auto* bytes = std::get_if<std::vector<uint8_t>>(&value)) {
    writer.signature("ay");
    const Writer::Array array = writer.begin_array(1);
    for (const uint8_t one : *bytes) writer.byte(one);
    writer.end_array(array);
  } else if (const auto* numbers = std::get_if<std::vector<uint32_t>>(&value)) {
    writer.signature("au");
    const Writer::Array array = writer.begin_array(sizeof(uint32_t));
    for (const uint32_t one : *numbers) writer.number(one);
    writer.end_array(array);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    writer.signature("as");
    const Writer::Array array = writer.begin_array(sizeof(uint32_t));
    for (const std::string& one : *texts) writer.string(one);
    writer.end_array(array);
  } else if (const auto* pairs = std::get_if<Property::Pairs>(&value)) {
    writer.signature("a(ss)");
    const Writer::Array array = writer.begin_array(kStructAlignment);
    for (const auto& [first, second] : *pairs) {
      writer.align(kStructAlignment);
      writer.string(first);
      writer.string(second);
    }
    writer.end_array(array);
  }
}

void put_properties(Writer& writer, const std::vector<Property>& properties) {
  const Writer::Array array = writer.begin_array(kStructAlignment);
  for (const Property& property : properties) {
    writer.align(kStructAlignment);
    writer.string(property.name);
    put_value(writer, property.value);
  }
  writer.end_array(array);
}

struct JobEnd {
  std::string path;
  std::string result;
};

// JobRemoved(u id, o job, s unit, s result)
Result<JobEnd> read_job_removed(const Message& signal) {
  if (signal.signature != "uoss") return fail(Code::refused, "systemd's JobRemoved has another form");
  Reader reader(signal.body);
  TRY(reader.number());
  JobEnd end;
  end.path = TRY(reader.string());
  TRY(reader.string());
  end.result = TRY(reader.string());
  return end;
}

// The path that is all that an answer has.
Result<std::string> read_path(const Message& reply, const std::string& unit) {
  if (reply.signature != "o") return fail(Code::refused, "systemd's answer for {} names no job", unit);
  Reader reader(reply.body);
  return reader.string();
}

}  // namespace

std::string encode(const std::vector<Property>& properties) {
  Writer writer;
  put_properties(writer, properties);
  return writer.take();
}

bool runs_here() {
  struct stat found{};
  return ::lstat("/run/systemd/system", &found) == 0 && S_ISDIR(found.st_mode);
}

Result<> reach() {
  const Result<sys::UniqueFd> direct = connect_to(kOwnSocket);
  if (direct || connect_to(kBusSocket)) return {};
  return std::unexpected(direct.error());
}

Result<Manager> Manager::connect() {
  const Bus::Clock::time_point until = soon();
  Result<Bus> direct = Bus::connect(kOwnSocket, until);
  if (direct) return Manager(std::move(*direct), true);
  Result<Manager> by_bus = connect_by_bus(until);
  if (!by_bus) return std::unexpected(direct.error());
  return by_bus;
}

Result<Manager> Manager::connect_by_bus(Bus::Clock::time_point until) {
  Bus bus = TRY(Bus::connect(kBusSocket, until));
  Call call{.destination = kBusService, .path = kBusObject, .interface = kBusService, .member = "Hello"};
  TRY(bus.call(call, until));
  Writer rule;
  rule.string(
      fmt::format("type='signal',sender='{}',interface='{}',member='JobRemoved'", kService, kInterface));
  call.member = "AddMatch";
  call.signature = "s";
  call.body = rule.take();
  TRY(bus.call(call, until));
  Manager manager(std::move(bus), false);
  TRY(manager.bus_.call(manager.manager_call("Subscribe", "", ""), until));
  return manager;
}

Call Manager::manager_call(std::string member, std::string signature, std::string body) const {
  return {.destination = direct_ ? "" : kService,
          .path = kObject,
          .interface = kInterface,
          .member = std::move(member),
          .signature = std::move(signature),
          .body = std::move(body)};
}

Result<bool> Manager::job_exists(const std::string& path, Bus::Clock::time_point until) {
  Writer writer;
  writer.string("org.freedesktop.systemd1.Job");
  writer.string("State");
  Call get = manager_call("Get", "ss", writer.take());
  get.path = path;
  get.interface = "org.freedesktop.DBus.Properties";
  const Result<Message> reply = bus_.call(get, until);
  if (!reply && bus_.refused_as().empty()) return std::unexpected(reply.error());
  return reply.has_value();
}

Result<> Manager::await_jobs(std::vector<Job> jobs, Bus::Clock::time_point until) {
  // The signal of a job that ends at once may have been sent before the reply, or to nobody.
  constexpr std::chrono::milliseconds kUsual{100};
  while (!jobs.empty()) {
    Result<Message> signal = bus_.next_signal("JobRemoved", std::min(until, Bus::Clock::now() + kUsual));
    if (!signal && signal.error().err == ETIMEDOUT && Bus::Clock::now() < until) {
      if (!TRY(job_exists(jobs.front().path, until))) jobs.erase(jobs.begin());
      continue;
    }
    if (!signal) return std::unexpected(signal.error());
    const JobEnd end = TRY(read_job_removed(*signal));
    const auto ended =
        std::find_if(jobs.begin(), jobs.end(), [&](const Job& one) { return one.path == end.path; });
    if (ended == jobs.end()) continue;
    if (end.result != "done")
      return fail("systemd's job for {} has ended with \"{}\"", ended->unit, printable(end.result));
    jobs.erase(ended);
  }
  return {};
}

Result<Manager::Job> Manager::begin_unit(const Unit& unit) {
  Writer writer;
  writer.string(unit.name);
  writer.string("fail");  // rather than taking the place of another job
  put_properties(writer, unit.properties);
  const Writer::Array auxiliary = writer.begin_array(kStructAlignment);
  writer.end_array(auxiliary);
  const Call call = manager_call("StartTransientUnit", "ssa(sv)a(sa(sv))", writer.take());
  // One that has just ended is forgotten in a moment.
  constexpr std::chrono::seconds kEnding{1};
  constexpr std::chrono::milliseconds kPause{10};
  const Bus::Clock::time_point ending = Bus::Clock::now() + kEnding;
  while (true) {
    const Result<Message> reply = bus_.call(call, soon());
    if (reply) return Job{TRY(read_path(*reply, unit.name)), unit.name};
    if (bus_.refused_as() != kUnitExists) return std::unexpected(reply.error());
    if (Bus::Clock::now() > ending)
      return fail(Code::conflict, "systemd has a unit {} already: another container has this cgroup path",
                  unit.name);
    std::this_thread::sleep_for(kPause);
  }
}

Result<> Manager::start_units(const std::vector<Unit>& units) {
  std::vector<Job> jobs;
  for (const Unit& unit : units) jobs.push_back(TRY(begin_unit(unit)));
  return await_jobs(std::move(jobs), soon());
}

Result<> Manager::set_properties(const std::string& name, const std::vector<Property>& properties) {
  Writer writer;
  writer.string(name);
  writer.boolean(true);  // not beyond the next start
  put_properties(writer, properties);
  const Bus::Clock::time_point until = soon();
  TRY(bus_.call(manager_call("SetUnitProperties", "sba(sv)", writer.take()), until));
  // It answers before it writes, and writes before it takes the next message.
  Call ping = manager_call("Ping", "", "");
  ping.interface = "org.freedesktop.DBus.Peer";
  TRY(bus_.call(ping, until));
  return {};
}

Result<> Manager::stop_unit(const std::string& name) {
  Writer writer;
  writer.string(name);
  writer.string("replace");
  const Bus::Clock::time_point until = soon();
  const Result<Message> reply = bus_.call(manager_call("StopUnit", "ss", writer.take()), until);
  if (!reply && bus_.refused_as() == kNoSuchUnit) return {};
  if (!reply) return std::unexpected(reply.error());
  return await_jobs({{TRY(read_path(*reply, name)), name}}, until);
}

}  // namespace berth::systemd
