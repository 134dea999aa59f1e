//! What the cameras make of a passage: nothing, a line, or two, each at the time that the camera's clock shows, with what
//! it reads, and arriving when the camera sends it.
//!
//! All its chance comes from a stream of its own: who passes where and when does not depend on any camera.

use traffic::{Checkpoint, CivilTime};

use super::super::camera::{Cameras, NUMBERS, Passage, Reading, first_number};
use super::super::chance::{Chance, Probability, mix, pick};
use super::super::event::Event;
use super::super::facts::TruePassage;
use super::super::fleet::{LARGE_VEHICLE, SMALL_CAR, Vehicle, lookalike_model};
use super::super::lateness::{LATEST, lateness};
use super::super::models::Models;
use super::super::network::SiteId;
use super::super::settings::SimulatorSettings;
use super::arrivals::{Arrivals, Kind, Passed};
use super::faults::{self, Camera};
use super::misreads::misread;

/// A vehicle passes a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass<'a> {
    /// Milliseconds since the start.
    pub(super) at: u64,
    pub(super) site: SiteId,
    pub(super) counts_up: bool,
    pub(super) vehicle: &'a Vehicle,
    /// The vehicle's number in the truth.
    pub(super) number: u32,
    pub(super) kind: Kind,
}

/// A camera, with its shares as probabilities.
#[derive(Debug, Clone)]
struct Device {
    camera: Camera,
    missed: Probability,
    misread: Probability,
    wrong_brand: Probability,
    wrong_type: Probability,
    doubled: Probability,
}

/// All cameras, and what they have not sent yet.
#[derive(Debug)]
pub(super) struct Recorder {
    writer: Cameras,
    devices: Vec<Device>,
    arrivals: Arrivals,
    chance: Chance,
    garbage: Probability,
    retransmissions: Probability,
    lateness: bool,
    start: CivilTime,
    next_number: u64,
    /// What really passed, of the lines that have arrived; none unless the truth of passages is wanted.
    truth: Option<Vec<Passed>>,
}

impl Recorder {
    pub(super) fn new(checkpoints: &[Checkpoint], settings: &SimulatorSettings) -> Self {
        let (misread, doubled) = (settings.misread_rate, settings.double_read_rate);
        let cameras = if settings.camera_faults {
            faults::cameras(checkpoints.len(), misread, doubled, mix(settings.seed, 21))
        } else {
            vec![Camera::faultless(misread, doubled); checkpoints.len()]
        };
        let batches = cameras.iter().enumerate().filter_map(|(site, it)| Some((site as SiteId, it.batch_ms?)));
        let arrivals = Arrivals::new(batches);
        let device = |camera: Camera| Device {
            missed: Probability::new(camera.missed),
            misread: Probability::new(camera.misread),
            wrong_brand: Probability::new(camera.wrong_brand),
            wrong_type: Probability::new(camera.wrong_type),
            doubled: Probability::new(camera.doubled),
            camera,
        };
        Self {
            writer: Cameras::new(checkpoints, settings.full_names, 0.0, 0.0),
            devices: cameras.into_iter().map(device).collect(),
            arrivals,
            chance: Chance::new(mix(settings.seed, 22)),
            garbage: Probability::new(settings.garbage_rate),
            retransmissions: Probability::new(settings.retransmission_rate),
            lateness: settings.lateness,
            start: settings.start,
            next_number: first_number(settings.start),
            truth: settings.passage_truth.then(Vec::new),
        }
    }

    pub(super) fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    pub(super) fn cameras(&self) -> impl Iterator<Item = &Camera> {
        self.devices.iter().map(|device| &device.camera)
    }

    pub(super) fn kkmc(&self, site: SiteId) -> String {
        self.writer.kkmc(site)
    }

    /// GCXH of passage `number` at `site`.
    pub(super) fn gcxh(&self, number: u64, site: SiteId) -> String {
        let mut gcxh = Vec::new();
        self.writer.write_gcxh(number, site, &mut gcxh);
        String::from_utf8_lossy(&gcxh).into_owned()
    }

    /// Records a passage. The number of its line, if there is one that shows the plate as it is.
    pub(super) fn record(&mut self, pass: Pass<'_>, models: &Models) -> Option<u64> {
        let device = self.devices.get(usize::from(pass.site))?;
        let doubled = device.doubled;
        if device.camera.is_silent(pass.at) || self.chance.happens(device.missed) {
            return None;
        }
        let number = self.write(pass, models);
        if self.chance.happens(doubled) {
            let again = Pass { at: pass.at + self.chance.between(1_000, 3_001), ..pass };
            self.write(again, models);
        }
        number
    }

    fn write(&mut self, pass: Pass<'_>, models: &Models) -> Option<u64> {
        let Self { devices, arrivals, chance, .. } = self;
        let device = devices.get(usize::from(pass.site))?;
        let number = self.next_number;
        self.next_number = (number + 1) % NUMBERS;
        let Vehicle { plate, mut plate_type, mut model, .. } = *pass.vehicle;
        let reading = if chance.happens(self.garbage) { Reading::Garbage } else { Reading::Right };
        let is_misread = chance.happens(device.misread);
        let shown = if is_misread { misread(&plate, chance.bits()) } else { plate };
        if chance.happens(device.wrong_brand) {
            model = lookalike_model(models, plate_type, chance.bits());
        }
        if chance.happens(device.wrong_type) {
            plate_type = pick(&[SMALL_CAR, SMALL_CAR, LARGE_VEHICLE], chance.bits());
        }
        let passed_at = device.camera.clock.reading(pass.at, self.start, chance);
        let passage =
            Passage { number, site: pass.site, passed_at, counts_up: pass.counts_up, plate: &shown, plate_type, model };
        let slot = arrivals.slot();
        let line = arrivals.line(slot)?;
        line.bytes.clear();
        self.writer.write_line(&passage, reading, models, chance, &mut line.bytes);
        (line.passed_at, line.is_retransmission) = (passed_at, false);
        line.passed = self.truth.is_some().then_some(Passed {
            number,
            site: pass.site,
            vehicle: pass.number,
            plate,
            at: pass.at,
            kind: pass.kind,
        });
        self.send(slot, pass);
        (reading == Reading::Right && !is_misread).then_some(number)
    }

    /// Lets a line arrive, perhaps twice.
    fn send(&mut self, slot: u32, pass: Pass<'_>) {
        let again = self.chance.happens(self.retransmissions).then(|| {
            let mut copy = self.arrivals.line(slot).map(|line| line.clone());
            let slot = self.arrivals.slot();
            if let (Some(line), Some(copy)) = (self.arrivals.line(slot), copy.take()) {
                *line = copy;
                (line.is_retransmission, line.passed) = (true, None);
            }
            slot
        });
        let holds = self.devices.get(usize::from(pass.site)).is_some_and(|it| it.camera.batch_ms.is_some());
        if holds {
            self.arrivals.hold(slot, pass.site, pass.at);
            again.into_iter().for_each(|again| self.arrivals.hold(again, pass.site, pass.at));
            return;
        }
        let arrival = pass.at + if self.lateness { lateness(&mut self.chance) } else { 0 };
        self.arrivals.arrive(slot, arrival);
        if let Some(again) = again {
            let latest = (pass.at + LATEST).max(arrival + 1);
            let arrival = self.chance.between(arrival, latest);
            self.arrivals.arrive(again, arrival);
        }
    }

    /// Appends the next line to arrive.
    pub(super) fn next_line(&mut self, out: &mut Vec<u8>) -> Option<Event> {
        let (arrival, line) = self.arrivals.pop()?;
        out.extend_from_slice(&line.bytes);
        if let (Some(truth), Some(passed)) = (&mut self.truth, line.passed) {
            truth.push(passed);
        }
        Some(Event {
            arrived_at_ms: self.start.0 * 1000 + arrival as i64,
            passed_at: line.passed_at,
            is_retransmission: line.is_retransmission,
        })
    }

    /// What really passed, of the lines that arrived since the last call.
    pub(super) fn take_passages(&mut self) -> Vec<TruePassage> {
        let taken = self.truth.as_mut().map(std::mem::take).unwrap_or_default();
        let truth = |passed: Passed| TruePassage {
            gcxh: self.gcxh(passed.number, passed.site),
            vehicle: passed.vehicle,
            plate: String::from_utf8_lossy(passed.plate.as_bytes()).into_owned(),
            at_ms: self.start.0 * 1000 + passed.at as i64,
            kind: match passed.kind {
                Kind::Own => "-",
                Kind::Clone => "clone",
                Kind::Twin => "twin",
            },
        };
        taken.into_iter().map(truth).collect()
    }
}
