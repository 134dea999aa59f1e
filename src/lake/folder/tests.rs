use super::*;

fn write(folder: &LakeFolder, day: i64, name: &PartName, text: &str) -> PathBuf {
    use std::io::Write as _;
    let (pending, mut file) = folder.begin(day, name).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let path = pending.path().to_owned();
    pending.publish().unwrap();
    path
}

#[test]
fn a_lake_is_begun_once_and_known_again() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("a/lake");
    let folder = LakeFolder::new(&root, 7);
    assert!(folder.check(true).unwrap_err().to_string().contains("Mount its disk"));
    assert!(!root.exists(), "an unmounted disk is not written below");
    folder.check(false).unwrap();
    folder.check(true).unwrap();
    let other = LakeFolder::new(&root, 8).check(false).unwrap_err().to_string();
    assert!(other.contains("another data directory"), "{other}");
    refuse_anothers(&root, Some(7)).unwrap();
    for number in [Some(8), None] {
        assert!(refuse_anothers(&root, number).unwrap_err().to_string().contains("another data directory"));
    }
    refuse_anothers(place.path(), None).unwrap();
    // Files of ours without a mark are somebody's.
    write(&folder, 0, &PartName { shard: 0, rows: 0..5 }, "x");
    std::fs::remove_file(root.join(MARK)).unwrap();
    assert!(folder.check(false).unwrap_err().to_string().contains("holds files of another lake"));
}

#[test]
fn what_was_being_written_is_removed_and_what_is_there_is_found() {
    let place = tempfile::tempdir().unwrap();
    let folder = LakeFolder::new(place.path(), 7);
    folder.check(false).unwrap();
    let name = |shard, rows| PartName { shard, rows };
    for (day, part) in [(0, name(0, 0..5)), (0, name(0, 5..9)), (1, name(0, 5..9)), (1, name(1, 0..70))] {
        write(&folder, day, &part, "x");
    }
    let (pending, _file) = folder.begin(2, &name(0, 9..12)).unwrap();
    let scratch = pending.scratch.clone();
    std::mem::forget(pending);
    let (of_another, _file) = folder.begin(2, &name(1, 70..80)).unwrap();
    assert_eq!(folder.go_on(0, 5).unwrap(), BTreeMap::from([(5, 9)]));
    assert!(!scratch.exists() && of_another.scratch.exists());
    assert_eq!(folder.go_on(0, 9).unwrap(), BTreeMap::new());
    assert!(folder.go_on(0, 6).unwrap_err().to_string().contains("rows are in other files too"));
    // Overlapping ranges, of which none begins where another does, or before the cursor.
    write(&folder, 3, &name(0, 8..10), "x");
    assert!(folder.go_on(0, 5).unwrap_err().to_string().contains("rows are in other files too"));
    write(&folder, 3, &name(0, 5..10), "x");
    assert!(folder.go_on(0, 5).unwrap_err().to_string().contains("rows are in other files too"));
}

#[test]
fn a_lake_is_written_by_one_process_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    // As two processes with copies of one data directory: the number is the same.
    let [first, second] = [(); 2].map(|()| LakeFolder::new(place.path(), 7));
    first.check(false).unwrap();
    first.clone().check(true).unwrap();
    for begun in [false, true] {
        let error = second.check(begun).unwrap_err().to_string();
        assert!(error.contains("is written by another process"), "{error}");
    }
    // The disk goes, and with it the hold; who comes first when it is back has it.
    let (mark, away) = (place.path().join(MARK), place.path().join("away"));
    std::fs::rename(&mark, &away).unwrap();
    assert!(first.check(true).unwrap_err().to_string().contains("Mount its disk"));
    std::fs::rename(&away, &mark).unwrap();
    second.check(true).unwrap();
    assert!(first.check(true).is_err());
    drop(second);
    first.check(true).unwrap();
    // Another mark in its place is another file to hold.
    std::fs::copy(&mark, &away).unwrap();
    std::fs::rename(&away, &mark).unwrap();
    let other = LakeFolder::new(place.path(), 7);
    other.check(true).unwrap();
    assert!(first.check(true).is_err());
}

/// What is in the folder of the first day, by name without the time in it.
fn first_day(place: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(place.join("date=1970-01-01")).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let name = name.split_once("replaced-").map_or(name.clone(), |(name, _)| format!("{name}replaced"));
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn what_is_written_in_place_of_other_rows_does_not_destroy_them() {
    let place = tempfile::tempdir().unwrap();
    let folder = LakeFolder::new(place.path(), 7);
    folder.check(false).unwrap();
    let name = PartName { shard: 0, rows: 0..5 };
    let (seen, kept) = (name.to_string(), format!(".{name}.replaced"));
    write(&folder, 0, &name, "rows");
    write(&folder, 0, &name, "rows");
    assert_eq!(first_day(place.path()), BTreeMap::from([(seen.clone(), "rows".to_owned())]), "the same again");
    write(&folder, 0, &name, "other rows");
    let expected = BTreeMap::from([(seen, "other rows".to_owned()), (kept.clone(), "rows".to_owned())]);
    assert_eq!(first_day(place.path()), expected);
    let second = PartName { shard: 0, rows: 5..9 };
    write(&folder, 0, &second, "gone");
    folder.remove_others(&second, &BTreeSet::new()).unwrap();
    let left = first_day(place.path());
    assert!(!left.contains_key(&second.to_string()));
    assert_eq!(left[&format!(".{second}.replaced")], "gone");
    assert_eq!(folder.go_on(0, 0).unwrap(), BTreeMap::from([(0, 5)]), "what is kept aside is no range");
}

#[test]
fn folders_that_only_begin_as_those_of_days_are_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let folder = LakeFolder::new(place.path(), 7);
    folder.check(false).unwrap();
    let name = PartName { shard: 0, rows: 0..5 };
    let mine = place.path().join("date=old").join(name.to_string());
    std::fs::create_dir(mine.parent().unwrap()).unwrap();
    std::fs::write(&mine, "x").unwrap();
    assert_eq!(folder.go_on(0, 0).unwrap(), BTreeMap::new());
    folder.remove_others(&name, &BTreeSet::new()).unwrap();
    assert!(mine.exists());
}

#[test]
fn a_file_that_is_not_published_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let folder = LakeFolder::new(place.path(), 7);
    folder.check(false).unwrap();
    let name = PartName { shard: 0, rows: 0..5 };
    drop(folder.begin(0, &name).unwrap());
    assert_eq!(std::fs::read_dir(place.path().join("date=1970-01-01")).unwrap().count(), 0);
    let [first, second] = [0, 1].map(|day| write(&folder, day, &name, "x"));
    folder.remove_others(&name, &BTreeSet::from([second.clone()])).unwrap();
    assert!(!first.exists() && second.exists());
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn who_may_enter_the_folder_may_read_the_files() {
    let place = tempfile::tempdir().unwrap();
    // The group of the folder is passed on by some, which a hardened service may not do.
    std::fs::set_permissions(place.path(), Permissions::from_mode(0o2750)).unwrap();
    let folder = LakeFolder::new(place.path(), 7);
    folder.check(false).unwrap();
    let path = write(&folder, 0, &PartName { shard: 0, rows: 0..5 }, "x");
    let day = path.parent().unwrap();
    assert_eq!((mode(&path), mode(day)), (0o640, 0o750));
    let bits = day.metadata().unwrap().permissions().mode() & 0o7000;
    assert_eq!(bits, 0, "a bit is set that a hardened service may not set");
}

#[test]
fn a_folder_that_was_made_and_not_shared_is_shared_later() {
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), Permissions::from_mode(0o750)).unwrap();
    let folder = LakeFolder::new(place.path(), 7);
    folder.check(false).unwrap();
    let [unshared, changed] = ["date=1970-01-01", "date=1970-01-02"].map(|day| place.path().join(day));
    for (day, mode) in [(&unshared, 0o700), (&changed, 0o711)] {
        std::fs::create_dir(day).unwrap();
        std::fs::set_permissions(day, Permissions::from_mode(mode)).unwrap();
    }
    for day in [0, 1] {
        write(&folder, day, &PartName { shard: 0, rows: 0..5 }, "x");
    }
    assert_eq!((mode(&unshared), mode(&changed)), (0o750, 0o711), "what somebody set by hand stays");
}

#[test]
fn a_place_is_tried() {
    let place = tempfile::tempdir().unwrap();
    is_usable(&place.path().join("not/there/yet")).unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(is_usable(&file.join("lake")).unwrap_err().to_string().contains("is not a folder"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}
