//! Settings of GA/T 1400 that cannot work: the real program says so at the start, and what to do.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{folder, run};
use crate::servers::viid::PLATFORM;

const OURS: &str = "32031200005030000001";

#[test]
fn settings_that_cannot_work_are_refused_in_words() {
    let folder = folder();
    let users = folder.path().join("users");
    std::fs::write(&users, "gate").unwrap();
    let refused = |kind: &str, viid: &str| {
        let file = folder.path().join("wrong.toml");
        let data = folder.path().join("data");
        let text =
            format!("data_dir = {data:?}\n[source]\nkind = {kind:?}\n[api]\nlisten = \"127.0.0.1:0\"\n[viid]\n{viid}");
        std::fs::write(&file, text).unwrap();
        let ended = run(["serve".as_ref(), "--config".as_ref(), file.as_os_str()]);
        assert_eq!(ended.code, Some(2), "{viid}: {ended:?}");
        ended.stderr
    };
    let ours = format!("device_id = \"{OURS}\"\n");
    let with_users = format!("{ours}users_file = {users:?}\n");
    let open = refused("http", &with_users);
    assert!(open.contains("chmod 600") && open.contains("viid.users_file"), "{open}");
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(refused("http", &with_users).contains("NAME:PASSWORD"));
    assert!(refused("simulator", &with_users).contains("source.kind = \"http\""));
    assert!(refused("http", &ours).contains("viid.users_file"));
    assert!(refused("http", "device_id = \"7\"\n").contains("20 digits"));
    let peer = format!("{ours}peer = \"http://10.0.0.9:1\"\n");
    assert!(refused("http", &peer).contains("viid.peer_id"));
    assert!(
        refused("http", &format!("{peer}peer_id = \"{PLATFORM}\"\nreceive_url = \"http://a/b\"\n"))
            .contains("/VIID/SubscribeNotifications")
    );
    assert!(refused("http", &format!("{ours}peer = \"redis://a\"\n")).contains("http://host:port"));
    std::fs::write(&users, "gate:x\n").unwrap();
    let table = refused("http", &format!("{with_users}checkpoints = \"/nowhere.csv\"\n"));
    assert!(table.contains("viid.checkpoints") && table.contains("/nowhere.csv"), "{table}");
}
