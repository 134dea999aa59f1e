//! The devices and platforms that have registered here: from which address, with which account, and when they were heard of last. In
//! memory alone: after a restart they register again.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

use super::id::DeviceId;

/// Devices that are known at most, some 150 bytes each.
pub const MOST: usize = 10_000;

/// Why a device was not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRegistered {
    /// There are too many that are online.
    Full,
    /// It is online, and another account has registered it.
    Others,
}

#[derive(Debug, Clone)]
struct Device {
    address: IpAddr,
    user: Box<str>,
    seen_at: i64,
}

/// All of them.
#[derive(Debug)]
pub struct Devices {
    known: Mutex<HashMap<DeviceId, Device>>,
    /// Seconds without a sign of life after which one is offline.
    lasts: i64,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounts {
    /// That have registered and not left.
    pub registered: usize,
    /// Of these, that were heard of lately.
    pub online: usize,
    /// When the newest of them was heard of, in seconds since 1970.
    pub newest_at: Option<i64>,
}

impl Devices {
    /// None yet; one is offline after so many seconds without a sign of life.
    pub fn new(lasts: i64) -> Self {
        Self { known: Mutex::default(), lasts }
    }

    fn is_online(&self, device: &Device, now: i64) -> bool {
        now.saturating_sub(device.seen_at) < self.lasts
    }

    /// A device registers with an account; false if it is online, from the same address.
    ///
    /// # Errors
    /// [`NotRegistered`].
    pub fn register(&self, id: DeviceId, user: &str, address: IpAddr, now: i64) -> Result<bool, NotRegistered> {
        let mut known = self.known.lock();
        let is_known = |device: &Device| device.address == address && self.is_online(device, now);
        let is_new = !known.get(&id).is_some_and(is_known);
        if known.get(&id).is_some_and(|device| &*device.user != user && self.is_online(device, now)) {
            return Err(NotRegistered::Others);
        }
        if known.len() >= MOST && !known.contains_key(&id) {
            known.retain(|_, device| self.is_online(device, now));
        }
        if known.len() >= MOST && !known.contains_key(&id) {
            return Err(NotRegistered::Full);
        }
        known.insert(id, Device { address, user: user.into(), seen_at: now });
        Ok(is_new)
    }

    /// Whether a device is online with another account than this.
    pub fn is_of_another(&self, id: &DeviceId, user: &str, now: i64) -> bool {
        self.known.lock().get(id).is_some_and(|device| &*device.user != user && self.is_online(device, now))
    }

    /// The account of a device that is online at this address, of which this is a sign of life; where the request proves that it comes
    /// from an account (`by`), only if that one has registered it: another account must not keep it online.
    pub fn heard(&self, id: &DeviceId, address: IpAddr, by: Option<&str>, now: i64) -> Option<String> {
        let mut known = self.known.lock();
        let device = known.get_mut(id).filter(|device| device.address == address && self.is_online(device, now))?;
        if by.is_some_and(|by| by != &*device.user) {
            return None;
        }
        device.seen_at = now;
        Some(device.user.to_string())
    }

    /// Whether any device is online at this address.
    pub fn has_any_at(&self, address: IpAddr, now: i64) -> bool {
        self.known.lock().values().any(|device| device.address == address && self.is_online(device, now))
    }

    /// A device leaves, as the account says that has registered it; false if it was not there.
    ///
    /// # Errors
    /// [`NotRegistered::Others`].
    pub fn leave(&self, id: &DeviceId, user: &str) -> Result<bool, NotRegistered> {
        let mut known = self.known.lock();
        if known.get(id).is_some_and(|device| &*device.user != user) {
            return Err(NotRegistered::Others);
        }
        Ok(known.remove(id).is_some())
    }

    /// How many there are.
    pub fn counts(&self, now: i64) -> DeviceCounts {
        let known = self.known.lock();
        let online = known.values().filter(|device| self.is_online(device, now)).count();
        DeviceCounts { registered: known.len(), online, newest_at: known.values().map(|device| device.seen_at).max() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> DeviceId {
        DeviceId::parse(&format!("{number:020}")).unwrap()
    }

    #[test]
    fn a_device_is_known_by_its_address_as_long_as_it_is_heard_of() {
        let devices = Devices::new(270);
        let [here, there] = ["10.0.0.7", "10.0.0.8"].map(|address| address.parse().unwrap());
        devices.register(id(1), "gate", here, 1_000).unwrap();
        assert!(
            devices.has_any_at(here, 1_269) && !devices.has_any_at(here, 1_270) && !devices.has_any_at(there, 1_000)
        );
        assert_eq!(devices.heard(&id(1), here, None, 1_269).as_deref(), Some("gate"));
        assert_eq!((devices.heard(&id(1), there, None, 1_269), devices.heard(&id(2), here, None, 1_269)), (None, None));
        assert_eq!(devices.heard(&id(1), here, None, 1_539), None, "it must register again");
        assert_eq!(devices.register(id(1), "desk", there, 1_538), Err(NotRegistered::Others));
        devices.register(id(1), "desk", there, 1_539).unwrap();
        assert_eq!(devices.heard(&id(1), there, None, 1_539).as_deref(), Some("desk"));
        let counts = DeviceCounts { registered: 1, online: 1, newest_at: Some(1_539) };
        assert_eq!(devices.counts(1_600), counts);
        assert_eq!(devices.counts(2_000), DeviceCounts { online: 0, ..counts });
        assert_eq!(devices.leave(&id(1), "gate"), Err(NotRegistered::Others));
        assert_eq!((devices.leave(&id(1), "desk"), devices.leave(&id(1), "desk")), (Ok(true), Ok(false)));
        assert_eq!(devices.counts(1_600), DeviceCounts::default());
    }

    #[test]
    fn a_device_that_gets_another_account_is_offline_in_time_however_often_it_asks() {
        let devices = Devices::new(270);
        let here = "10.0.0.7".parse().unwrap();
        devices.register(id(1), "gate", here, 1_000).unwrap();
        assert_eq!(devices.heard(&id(1), here, Some("gate"), 1_100).as_deref(), Some("gate"));
        for now in [1_110, 1_200, 1_369] {
            assert_eq!(devices.heard(&id(1), here, Some("desk"), now), None);
            assert_eq!(devices.register(id(1), "desk", here, now), Err(NotRegistered::Others));
        }
        assert!(devices.is_of_another(&id(1), "desk", 1_369) && !devices.is_of_another(&id(1), "gate", 1_369));
        assert!(!devices.is_of_another(&id(1), "desk", 1_370));
        assert_eq!(devices.register(id(1), "desk", here, 1_370), Ok(true));
        assert_eq!(devices.register(id(1), "desk", here, 1_380), Ok(false), "it says so again");
        assert_eq!(devices.register(id(1), "desk", "10.0.0.8".parse().unwrap(), 1_380), Ok(true), "it has moved");
    }

    #[test]
    fn there_are_so_many_at_most_and_offline_ones_make_room() {
        let devices = Devices::new(10);
        let address = "10.0.0.7".parse().unwrap();
        for number in 0..MOST {
            devices.register(id(number), "gate", address, 0).unwrap();
        }
        assert_eq!(devices.register(id(MOST), "gate", address, 9), Err(NotRegistered::Full));
        devices.register(id(7), "gate", address, 9).unwrap();
        devices.register(id(MOST), "gate", address, 10).unwrap();
        assert_eq!(devices.counts(10).registered, 2);
    }
}
