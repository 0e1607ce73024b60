// systemd's manager (org.freedesktop.systemd1(5)): making, changing and stopping the scope of a container.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "systemd/bus.h"

namespace berth::systemd {

// A unit's property as the bus has it: b, t, s, ay, au, as or a(ss).
struct Property {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  using Value = std::variant<bool, uint64_t, std::string, std::vector<uint8_t>, std::vector<uint32_t>,
                             std::vector<std::string>, Pairs>;
  std::string name;
  Value value;
  bool operator==(const Property&) const = default;
};

// "Infinity" of every limit.
inline constexpr uint64_t kInfinity = UINT64_MAX;

// The body of an "a(sv)", as the calls below send it. For tests.
std::string encode(const std::vector<Property>& properties);

struct Unit {
  std::string name;
  std::vector<Property> properties;
};

// Whether the machine was booted with systemd (sd_booted(3)). One look at a directory.
bool runs_here();

// Whether somebody listens where Manager::connect() would ask. No more than a connect(2), to find out before
// anything depends on it.
Result<> reach();

class Manager {
 public:
  // To the manager's own socket, which only root may use, or else over the system's bus. An error where
  // systemd does not run here.
  static Result<Manager> connect();

  // Makes units and waits until systemd has all of them running. Code::conflict if there is one of such a
  // name. After an error, those before it may run.
  Result<> start_units(const std::vector<Unit>& units);
  // Changes a running unit until it ends. When it returns, systemd has written what comes of it.
  Result<> set_properties(const std::string& name, const std::vector<Property>& properties);
  // Ends a unit and waits for its end. One that is not there (any more) is no error.
  Result<> stop_unit(const std::string& name);

 private:
  Manager(Bus bus, bool direct) : bus_(std::move(bus)), direct_(direct) {}
  static Result<Manager> connect_by_bus(Bus::Clock::time_point until);
  [[nodiscard]] Call manager_call(std::string member, std::string signature, std::string body) const;
  Result<bool> job_exists(const std::string& path, Bus::Clock::time_point until);
  struct Job {
    std::string path;
    std::string unit;
  };
  // Gives the path of the job that makes it.
  Result<Job> begin_unit(const Unit& unit);
  // Waits for their end. A job that has ended without a word of how is no error: what came of it has to be
  // looked at.
  Result<> await_jobs(std::vector<Job> jobs, Bus::Clock::time_point until);

  Bus bus_;
  bool direct_ = false;
};

}  // namespace berth::systemd
