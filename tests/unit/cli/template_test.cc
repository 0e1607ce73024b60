#include "cli/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cli {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

const Json& document() {
  static const Json kDocument = Json::parse(R"({
    "Id": "c0ffee", "Name": "web", "Running": true, "Pid": 12, "Share": 0.5, "Empty": "", "Nothing": null,
    "State": {"Status": "running", "ExitCode": 0},
    "Config": {"Labels": {"team": "shop", "com.example/tier": "front"}, "Env": ["A=1", "B=two words"]},
    "NetworkSettings": {
      "Networks": {"web": {"IPAddress": "10.0.0.2"}, "data": {"IPAddress": "10.0.1.7"}},
      "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "90/tcp": null}},
    "Mounts": [], "lease": {"start_ip": "10.0.0.9"}})");
  return kDocument;
}

// What the template prints, or the error and its hint.
std::string shown(std::string_view text) {
  const auto said = [](const Error& error) {
    return error.message + (error.hint.empty() ? "" : " | " + error.hint);
  };
  const auto parsed = Template::parse(text);
  if (!parsed) return said(parsed.error());
  const auto expanded = parsed->expand(document());
  return expanded ? *expanded : said(expanded.error());
}

TEST(Template, PrintsFieldsAndTheTextBetweenThem) {
  EXPECT_EQ(shown("{{.Name}}: {{ .State.Status }}"), "web: running");
  EXPECT_EQ(shown(R"({{.Name}}\t{{.Pid}}\n)"), "web\t12\n") << "as people can type them";
  EXPECT_EQ(shown("{{.Config.Env}} {{.Config.Labels}} {{.Nothing}} {{.Running}} {{.Share}}"),
            "[A=1 B=two words] map[com.example/tier:front team:shop] <nil> true 0.5");
  EXPECT_EQ(shown("{{json .Config}}"),
            R"({"Labels":{"team":"shop","com.example/tier":"front"},"Env":["A=1","B=two words"]})");
  EXPECT_EQ(shown("{{.ID}} {{.Id}}"), "c0ffee c0ffee") << "podman's name and Docker's";
  EXPECT_EQ(shown("{{.Lease.StartIp}} {{.lease.start_ip}}"), "10.0.0.9 10.0.0.9") << "JSON's name and Go's";
  EXPECT_EQ(shown("no action"), "no action");
  EXPECT_EQ(shown(""), "");
}

TEST(Template, GoesThroughListsAndObjects) {
  EXPECT_EQ(shown("{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"), "10.0.1.7 10.0.0.2 ")
      << "by the keys, as Go does";
  EXPECT_EQ(shown("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}"),
            "com.example/tier=front;team=shop;");
  EXPECT_EQ(shown("{{range $i, $e := .Config.Env}}{{$i}}:{{$e}} {{end}}"), "0:A=1 1:B=two words ");
  EXPECT_EQ(shown("{{range $e := .Config.Env}}{{$e}},{{end}}"), "A=1,B=two words,");
  EXPECT_EQ(shown("{{range .Mounts}}x{{else}}none{{end}}{{range .Nothing}}x{{else}} none{{end}}"),
            "none none");
  EXPECT_EQ(
      shown("{{range $p, $b := .NetworkSettings.Ports}}{{$p}} -> {{range $b}}{{.HostPort}}{{end}} {{end}}"),
      "80/tcp -> 8080 90/tcp ->  ");
  EXPECT_EQ(
      shown(R"({{range .Config.Env}}{{if eq . "A=1"}}{{continue}}{{end}}{{.}}{{$.Name}}{{break}}{{end}})"),
      "B=two wordsweb");
}

TEST(Template, Decides) {
  EXPECT_EQ(shown("{{if .Running}}up{{else}}down{{end}}"), "up");
  EXPECT_EQ(shown("{{if .Empty}}a{{else if .Mounts}}b{{else if .State.ExitCode}}c{{else}}d{{end}}"), "d");
  EXPECT_EQ(shown(R"({{if and (eq .Name "db" "web") (not .Empty) (gt .Pid 3)}}yes{{end}})"), "yes");
  EXPECT_EQ(shown("{{or .Empty .Name}} {{and .Name .Empty}}{{lt 1 2}} {{le 2 2}} {{ge 1 2}} {{ne 1 2}}"),
            "web true true false true");
  EXPECT_EQ(shown(R"({{lt "a" "b"}} {{eq .Nothing nil}} {{eq 1.0 1}} {{lt -1 .Share}})"),
            "true true true true");
  EXPECT_EQ(shown("{{with .State}}{{.Status}}{{end}}{{with .Empty}}x{{else}} empty{{end}}"), "running empty");
  EXPECT_EQ(shown("{{with $s := .State}}{{$s.Status}} {{$.Name}}{{end}}"), "running web");
  EXPECT_EQ(shown("{{if .State.Health}}{{.State.Health.Status}}{{else}}unchecked{{end}}"), "unchecked")
      << "what only some containers have";
  EXPECT_EQ(shown("{{or .Name .Missing}}"), "web") << "what does not matter is not looked at";
}

TEST(Template, KnowsKeysThatAreData) {
  EXPECT_EQ(shown(R"({{index .Config.Labels "com.example/tier"}})"), "front");
  EXPECT_EQ(shown(R"([{{index .Config.Labels "missing"}}])"), "[]");
  EXPECT_EQ(shown("{{.Config.Labels.team}} {{.Config.Labels.missing}}"), "shop <no value>");
  EXPECT_EQ(shown("{{.Config.Labels.Team}}"), "<no value>") << "of data every letter counts";
  EXPECT_EQ(shown(R"({{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}})"), "8080");
  EXPECT_EQ(shown(R"({{index .NetworkSettings.Ports "80/tcp" 0 "HostPort"}} {{index .Config.Env 1}})"),
            "8080 B=two words");
}

TEST(Template, CallsFunctions) {
  EXPECT_EQ(
      shown(
          R"({{join .Config.Env ", "}}|{{len .Config.Env}}|{{len .Name}}|{{upper .Name}}|{{title "a bc"}})"),
      "A=1, B=two words|2|3|WEB|A Bc");
  EXPECT_EQ(shown(R"({{range split "a,b" ","}}<{{.}}>{{end}} {{lower "ÄAB"}} {{slice .Id 0 3}})"),
            "<a><b> Äab c0f");
  EXPECT_EQ(shown(R"({{.Name | printf "%s-%s" "x" | upper}} {{println "a" 1}}|{{print 1 2 "a" "b"}})"),
            "X-WEB a 1\n|1 2ab");
  EXPECT_EQ(shown(R"({{truncate "äöü" 2}}{{pad "x" 1 2}}|)"), "äö x  |");
  EXPECT_EQ(shown("{{`raw \\n`}} {{\"q\\u00e9\\x41\\t\\\"\"}} {{'a'}} {{0x1f}} {{-7}}"),
            "raw \\n qéA\t\" 97 31 -7");
}

TEST(Template, FormatsAsPrintfDoes) {
  EXPECT_EQ(shown(R"({{printf "[%5s|%-5s|%.2s|%q|%v]" .Name .Name .Name .Name .Config.Env}})"),
            R"([  web|web  |we|"web"|[A=1 B=two words]])");
  EXPECT_EQ(shown(R"({{printf "%d %05d %+d %x %X %#x %o %b %x" .Pid .Pid .Pid 255 255 255 8 5 "hi"}})"),
            "12 00012 +12 ff FF 0xff 10 101 6869");
  EXPECT_EQ(shown(R"({{printf "%t %f %.1f %6.2f %g %d%%" true .Share 2 -1.5 .Share -3}})"),
            "true 0.500000 2.0  -1.50 0.5 -3%");
  EXPECT_EQ(shown(R"({{printf "%d" .Name}})"), "--format, character 3: printf: %d is not for a text");
  EXPECT_THAT(shown(R"({{printf "%s"}})"), HasSubstr("no value for its %s"));
  EXPECT_THAT(shown(R"({{printf "x" 1}})"), HasSubstr("1 values and has a % for 0"));
  EXPECT_THAT(shown(R"({{printf "%9999d" 1}})"), HasSubstr("more than 1000"));
}

TEST(Template, LeavesOutSpacesCommentsAndWhatIsOnlyForItself) {
  EXPECT_EQ(shown("a  {{- .Name -}}  b {{/* nothing */}}c {{- /* x */ -}} d"), "awebb cd");
  EXPECT_EQ(shown("{{range .Config.Env -}}\n  {{.}}\n{{- end}}"), "A=1B=two words");
  EXPECT_EQ(shown(R"({{$x := 1}}{{if .Running}}{{$x = 2}}{{$y := 3}}{{end}}{{$x}})"), "2");
  EXPECT_EQ(shown("{{\"}}\"}}"), "}}");
}

TEST(Template, SaysWhereItIsWrong) {
  EXPECT_EQ(shown("{{.Nmae}}"), "--format, character 3: there is no field .Nmae | Did you mean .Name?");
  EXPECT_EQ(shown("a\n  {{.Name.First}}"), "--format, line 2, character 10: .First is asked of a text");
  EXPECT_THAT(shown("{{.Name"), HasSubstr("character 1: a \"{{\" without its \"}}\""));
  EXPECT_THAT(shown("{{if .Name}}x"), HasSubstr("character 1: {{if}} without its {{end}}"));
  EXPECT_THAT(shown("x{{end}}"), HasSubstr("character 2: there is nothing that this belongs to"));
  EXPECT_THAT(shown("{{if .Name}}{{else}}{{else}}{{end}}"), HasSubstr("a second {{else}}"));
  EXPECT_THAT(shown("{{Name}}"),
              HasSubstr("there is no function Name | A field has a dot before it, .Name;"));
  EXPECT_THAT(shown("{{uper .Name}}"), HasSubstr("Did you mean upper?"));
  EXPECT_THAT(shown("{{$x}}"), HasSubstr("there is no variable $x"));
  EXPECT_THAT(shown("{{range .Mounts}}{{$x := 1}}{{end}}{{$x}}"), HasSubstr("there is no variable $x"));
  EXPECT_THAT(shown("{{.Config.Labels.a-b}}"), HasSubstr("{{index .Labels \"a-b\"}}"));
  EXPECT_THAT(shown("{{}}"), HasSubstr("a value is missing before the \"}}\""));
  EXPECT_THAT(shown("{{.Name | .Id}}"), HasSubstr("what stands after a \"|\" is a function"));
  EXPECT_THAT(shown("{{.Name .Id}}"), HasSubstr("character 9: what stands before this takes no values"));
  EXPECT_THAT(shown("{{(.Name}}"), HasSubstr("\")\" is missing before"));
  EXPECT_THAT(shown("{{\"a}}"), HasSubstr("a \" without its end"));
  EXPECT_THAT(shown("{{\"\\y\"}}"), HasSubstr("no escape"));
  EXPECT_THAT(shown("{{break}}"), HasSubstr("belongs into a {{range}}"));
  EXPECT_THAT(shown("{{template \"x\"}}"), HasSubstr("nothing that --format has"));
  EXPECT_THAT(shown("{{/* x }}"), HasSubstr("without its \"*/\""));
  EXPECT_THAT(shown("{{12ab}}"), HasSubstr("is no number"));
  EXPECT_THAT(shown("{{index .Config.Env 2}}"), HasSubstr("there is no element 2 among 2"));
  EXPECT_THAT(shown("{{eq .Name 1}}"), HasSubstr("eq: a text can't be compared with a number"));
  EXPECT_THAT(shown("{{range .Name}}{{end}}"), HasSubstr("a text is nothing to go through"));
  EXPECT_THAT(shown("{{len .Pid}}"), HasSubstr("len: a number has no length"));
  EXPECT_THAT(shown("{{upper}}"), HasSubstr("upper: it does not take 0 values"));
  EXPECT_THAT(shown("{{.State.Health.Status}}"), HasSubstr("leaves out what is not there"));
}

std::string repeated(size_t times, std::string_view text) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Template, HasBounds) {
  EXPECT_THAT(shown(repeated(100, "{{if .Name}}") + repeated(100, "{{end}}")),
              HasSubstr("more than 64 blocks"));
  EXPECT_THAT(shown("{{" + repeated(100, "(") + ".Name" + repeated(100, ")") + "}}"),
              HasSubstr("more than 64 parentheses"));
  EXPECT_THAT(shown(std::string(70'000, 'x')), HasSubstr("the most"));
  std::string doubling = "{{$x := \"0123456789abcdef\"}}";
  EXPECT_THAT(shown(doubling + repeated(40, "{{$x = print $x $x}}")), HasSubstr("more than 16 MiB"));
  const std::string list = "{{$l := split \"" + repeated(1000, "a,") + "\" \",\"}}";
  EXPECT_THAT(shown(list + repeated(3, "{{range $l}}") + repeated(3, "{{end}}")), HasSubstr("steps"));
}

TEST(Template, HasAHeadingForTables) {
  const auto heading = [](std::string_view text) { return Template::parse(text)->heading(); };
  EXPECT_EQ(heading("{{.Repository}}:{{.Tag}}\\t{{upper .Config.User}}"), "REPOSITORY:TAG\tUSER");
  EXPECT_EQ(heading("{{range .Names}}{{.First}}{{end}}\\t{{len (index .Ports 0)}}"), "FIRST\tPORTS");
}

}  // namespace
}  // namespace berth::cli
