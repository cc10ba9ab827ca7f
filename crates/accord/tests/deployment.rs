//! The files in deploy/: what they name exists, what they start can be started, and nothing runs as root.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{On, Scratch, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|fault| panic!("{file}: {fault}"))
}

/// Every object in the manifests.
fn manifests() -> Vec<Value> {
    ["config", "migrate", "accord"]
        .iter()
        .flat_map(|name| {
            let file = format!("deploy/kubernetes/{name}.yaml");
            serde_saphyr::from_multiple::<Value>(&text(&file))
                .unwrap_or_else(|fault| panic!("{file}: {fault}"))
        })
        .collect()
}

fn object(kind: &str, name: &str) -> Value {
    let found = manifests().into_iter().find(|one| one["kind"] == kind && one["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|word| word.as_str().expect("a text").to_owned()).collect()
}

/// A command line of ours: its commands and flags are ones that the binary has.
#[track_caller]
fn can_be_typed(words: &[&str]) {
    let commands: Vec<&str> = words
        .iter()
        .copied()
        .take_while(|word| !word.starts_with('-'))
        .filter(|word| !word.contains('…'))
        .collect();
    // What is no command is an argument of one.
    let depth = (1..=commands.len())
        .rev()
        .find(|depth| run(&[&commands[..*depth], &["--help"]].concat()).status == 0);
    let commands = &commands[..depth.unwrap_or_else(|| panic!("no such command: {words:?}"))];
    let help = run(&[commands, &["--help"]].concat()).ends(0).out;
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        assert!(
            help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")),
            "{flag} of {words:?}"
        );
    }
}

/// The command lines of `accord` in a text, continued lines joined.
fn typed(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.trim_start_matches(['#', ' ']));
    lines
        .filter_map(|line| {
            let line = line.strip_prefix("/usr/local/bin/").unwrap_or(line);
            let rest = line.strip_prefix("accord ")?.split(" #").next()?.split("  ").next()?;
            rest.chars().next()?.is_ascii_lowercase().then(|| rest.trim().to_owned())
        })
        .collect()
}

#[test]
fn every_command_in_the_operators_book_and_in_the_files_can_be_typed() {
    let mut count = 0;
    for file in ["upgrades", "backup", "moving", "deploying"] {
        let page = text(&format!("docs/operating/{file}.md"));
        let blocks = page.split("```").skip(1).step_by(2).collect::<Vec<_>>().join("\n");
        for line in typed(&blocks) {
            can_be_typed(&line.split_whitespace().collect::<Vec<_>>());
            count += 1;
        }
    }
    assert!(count >= 12, "{count}");
    for line in typed(&text("deploy/kubernetes/config.yaml")) {
        can_be_typed(&line.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn the_container_is_not_roots_and_starts_what_there_is() {
    let file = text("deploy/Dockerfile").replace("\\\n", " ");
    let lines: Vec<(&str, &str)> = file.lines().filter_map(|line| line.split_once(' ')).collect();
    let all = |word: &str| {
        lines.iter().filter(|(first, _)| *first == word).map(|(_, rest)| *rest).collect::<Vec<_>>()
    };
    assert_eq!(all("FROM").len(), 2, "one stage builds, the other serves");
    // A name with a dot or a port before its first slash would be a host.
    for image in all("ARG") {
        let (_, image) = image.split_once('=').expect("a default");
        let first = image.split_once('/').map_or("", |(first, _)| first);
        assert!(!first.contains(['.', ':']), "{image} names a host");
    }
    let user = all("USER").pop().expect("a user");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id >= 1000)), "{user}");
    let start = lines.iter().position(|(first, _)| *first == "USER");
    assert!(
        lines.iter().skip(start.expect("a user")).all(|(first, _)| *first != "RUN"),
        "nothing after it as root"
    );
    for copied in all("COPY").iter().filter(|copied| !copied.starts_with("--from")) {
        let names: Vec<&str> = copied.split_whitespace().collect();
        for name in &names[..names.len() - 1] {
            assert!(root().join(name).exists(), "{name}");
        }
    }
    let command: Vec<String> = serde_json::from_str(all("CMD").pop().expect("a command")).expect("a list");
    can_be_typed(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let entry: Vec<String> =
        serde_json::from_str(all("ENTRYPOINT").pop().expect("a program")).expect("a list");
    let copied = all("COPY").into_iter().find(|copied| copied.starts_with("--from")).expect("the program");
    assert!(copied.ends_with(&entry[0]), "{copied}");
    assert!(!file.contains("accord.toml /") && !file.contains("keys"), "no secret in the image");
}

#[test]
fn the_unit_is_sound_and_closed() {
    let unit = text("deploy/accord.service");
    let starts: Vec<&str> = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart=").or_else(|| line.strip_prefix("ExecStartPre=")))
        .collect();
    assert_eq!(starts.len(), 2);
    for line in &starts {
        let line = line.strip_prefix("/usr/local/bin/accord ").expect("our program");
        can_be_typed(&line.split_whitespace().collect::<Vec<_>>());
    }
    for line in
        ["User=accord", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "UMask=0077"]
    {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|said| said.status.success()) {
        eprintln!("skipped: systemd-analyze is not on this machine");
        return;
    }
    let dir = Scratch::new("unit");
    // It wants the program to be there.
    let unit = unit.replace("/usr/local/bin/accord", env!("CARGO_BIN_EXE_accord"));
    let file = dir.write("accord.service", &unit);
    let said = Command::new("systemd-analyze").args(["verify", "--man=no", &file]).output().expect("it runs");
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && !words.contains("accord.service:"), "{words}");
    // Exposure of at most 2.0 of 10.
    let args = ["security", "--offline=true", "--threshold=20", "--no-pager", &file];
    let said = Command::new("systemd-analyze").args(args).output().expect("it runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

#[test]
fn the_manifests_agree_with_each_other_and_with_the_program() {
    let deployment = object("Deployment", "accord");
    let job = object("Job", "accord-migrate");
    assert_eq!(deployment["spec"]["replicas"], 3);
    for (what, spec) in
        [("Deployment", &deployment["spec"]["template"]["spec"]), ("Job", &job["spec"]["template"]["spec"])]
    {
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{what}");
        assert_eq!(spec["automountServiceAccountToken"], false, "{what}");
        for container in spec["containers"].as_array().expect("containers") {
            let security = &container["securityContext"];
            assert_eq!(security["readOnlyRootFilesystem"], true, "{what}");
            assert_eq!(security["allowPrivilegeEscalation"], false, "{what}");
            assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]), "{what}");
            let args = words(&container["args"]);
            can_be_typed(&args.iter().map(String::as_str).collect::<Vec<_>>());
            for mount in container["volumeMounts"].as_array().expect("mounts") {
                let volumes = spec["volumes"].as_array().expect("volumes");
                assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount}");
            }
        }
    }
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&object("PodDisruptionBudget", "accord")["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&object("Service", "accord")["spec"]["selector"], labels);
    assert_ne!(&job["spec"]["template"]["metadata"]["labels"], labels, "the Service must not find the Job");

    // The ports are those of the configuration, and the probes ask what is answered there.
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let config = config();
    let port_of = |name: &str| {
        let ports = container["ports"].as_array().expect("ports");
        ports.iter().find(|port| port["name"] == name).expect(name)["containerPort"].to_string()
    };
    assert!(config.contains(&format!("\nlisten = \"0.0.0.0:{}\"", port_of("http"))), "{config}");
    assert!(config.contains(&format!("[admin]\nlisten = \"0.0.0.0:{}\"", port_of("admin"))), "{config}");
    for (probe, path) in [("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready")] {
        let probe = &container[probe]["httpGet"];
        assert_eq!((&probe["path"], &probe["port"]), (&format!("/health/{path}").into(), &"admin".into()));
    }
}

/// The first number in a text.
fn number(text: &str) -> u64 {
    let digits: String =
        text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number in {text}"))
}

/// The line of a file that begins so, without its beginning.
fn line(file: &str, begins: &str) -> String {
    let all = text(file);
    let found = all.lines().find_map(|line| line.trim().strip_prefix(begins));
    found.unwrap_or_else(|| panic!("no {begins} in {file}")).to_owned()
}

#[test]
fn ports_paths_users_versions_and_patience_agree_between_all_files() {
    let (docker, unit) = ("deploy/Dockerfile", "deploy/accord.service");
    let deployment = object("Deployment", "accord");
    let pod = &deployment["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    let job = object("Job", "accord-migrate");
    let migrates = &job["spec"]["template"]["spec"]["containers"][0];
    let ports = |value: &Value| -> Vec<u64> {
        let ports = value.as_array().expect("ports").iter();
        ports.map(|port| port["containerPort"].as_u64().expect("a port")).collect()
    };
    let exposed: Vec<u64> = line(docker, "EXPOSE ").split(' ').map(number).collect();
    assert_eq!(exposed, ports(&container["ports"]));
    let scraped = &pod["metadata"]["annotations"];
    assert_eq!(scraped["prometheus.io/port"], exposed[1].to_string());
    assert_eq!(scraped["prometheus.io/path"], "/metrics");
    assert_eq!(object("Service", "accord")["spec"]["ports"][0]["port"], exposed[0]);
    let example = run(&["config", "example"]).ends(0).out;
    for port in &exposed {
        assert!(example.contains(&format!(":{port}\"")), "{port} is not in the example");
    }

    // Who it runs as, and where its files are.
    let user = number(&line(docker, "USER "));
    for security in [&pod["spec"]["securityContext"], &job["spec"]["template"]["spec"]["securityContext"]] {
        for who in ["runAsUser", "runAsGroup", "fsGroup"] {
            assert_eq!(security[who], user, "{who}");
        }
    }
    assert!(line(docker, "&& install -d ").contains(&format!("-o {user} -g {user}")));
    let home = line(docker, "WORKDIR /var");
    assert_eq!(
        (line(docker, "VOLUME /var"), line(unit, "WorkingDirectory=/var")),
        (home.clone(), home.clone())
    );
    assert_eq!(format!("/lib/{}", line(unit, "StateDirectory=")), home);
    for container in [container, migrates] {
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/accord");
        assert_eq!(words(&container["args"]).last().expect("a file"), "/etc/accord/accord.toml");
        assert_eq!(container["image"], format!("accord:{}", env!("CARGO_PKG_VERSION")));
    }
    for start in ["ExecStart=", "ExecStartPre="] {
        assert!(line(unit, start).ends_with("--config /etc/accord/accord.toml"));
    }

    // Whoever ends it waits longer than calls in flight are waited for.
    let served = include_str!("../../server/src/serve.rs");
    let (_, patience) =
        served.split_once("const PATIENCE: Duration = Duration::from_secs(").expect("patience");
    let patience = number(patience);
    assert!(number(&line(unit, "TimeoutStopSec=")) > patience);
    let before = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().expect("a pause");
    let grace = pod["spec"]["terminationGracePeriodSeconds"].as_u64().expect("a time");
    assert!(grace > before + patience, "{grace}");
}

/// The configuration in the manifests.
fn config() -> String {
    object("Secret", "accord-config")["stringData"]["accord.toml"].as_str().expect("a file").to_owned()
}

#[test]
fn the_configuration_in_the_manifests_serves() {
    if !On::Postgres.is_there() {
        return;
    }
    let dir = Scratch::on("manifests", On::Postgres);
    run(&["keys", "generate", "--dir", &dir.file("keys")]).ends(0);
    // The folder that the pod gets has exactly the files that the configuration names.
    let deployment = object("Deployment", "accord");
    let sources = &deployment["spec"]["template"]["spec"]["volumes"][0]["projected"]["sources"];
    let items = sources[1]["secret"]["items"].as_array().expect("files");
    for item in items {
        let file = item["path"].as_str().expect("a path");
        assert!(dir.path().join(file).exists(), "`accord keys generate` makes no {file}");
    }
    let whole = config();
    for line in whole.lines().filter(|line| line.contains("\"keys/")) {
        let file = line.split('"').nth(1).expect("a file");
        assert!(items.iter().any(|item| item["path"] == file), "{file}");
    }
    let line = whole.lines().find(|line| line.starts_with("store = ")).expect("a store");
    let config = dir.write("accord.toml", &whole);
    run(&["config", "check", "--config", &config]).ends(0);
    let config = dir.write("accord.toml", &whole.replace(line, &format!("store = \"{}\"", dir.store())));
    run(&["migrate", "--config", &config]).ends(0);
    let said = run(&["doctor", "--config", &config, "--json"]).ends(0).json();
    assert_eq!(said["healthy"], true, "{said}");
}
