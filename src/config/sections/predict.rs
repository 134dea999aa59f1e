//! `[predict]`: flow models and their training.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::checks::within;
use crate::config::declare::{choices, settings};

settings! {
    /// Flow prediction, see docs/prediction.md.
    pub struct PredictConfig {
        /// The folder of the model: `model.bin` and `metadata.json`, or what `PipelineModel.save` of Spark wrote. A model that is
        /// trained or copied there is served within seconds, without a restart.
        model_dir: PathBuf = "traffic_flow_model".into();
        /// The model to serve: the one that is best in the evaluation of the training, or always the same.
        kind: ServedModel = ServedModel::Auto;
        /// Whether this process trains: from its own hourly counts, or never.
        train: TrainFrom = TrainFrom::Counters;
        /// How often it trains. It also trains when it has no model, and when its history has grown by a quarter.
        retrain_every: Duration = Duration::from_secs(6 * 3600), within(Duration::from_secs(1), Duration::from_secs(365 * 86_400));
        /// Hours with traffic that are needed before a first model is trained automatically.
        min_hours: usize = 12, within(1, 8_784);
        /// How long hourly counts are kept for training, in event time; they may outlive passages.
        history: Duration = Duration::from_secs(400 * 86_400), within(Duration::from_secs(86_400), Duration::from_secs(3_660 * 86_400));
        /// Nominal coverage of the interval around a prediction.
        interval: f64 = 0.8, within(0.5, 0.99);
        /// Tables of holidays, CSV with the columns `date` and `kind` (`holiday` or `workday`), read before each training.
        holidays: Vec<PathBuf> = Vec::new();
    }
}

choices! {
    /// Which flow model is served.
    pub enum ServedModel {
        /// The one with the smallest error in the evaluation.
        Auto = "auto",
        /// The mean of seasonal and recent-weeks.
        Blend = "blend",
        /// The mean of the last weeks at the same hour of the week.
        RecentWeeks = "recent-weeks",
        /// The weekly pattern of each checkpoint by hour.
        Seasonal = "seasonal",
        /// The linear regression of the Spark pipeline over index, hour and weekend.
        SparkLinear = "spark-linear",
    }
}

choices! {
    /// What a flow model is trained from while the appliance runs.
    pub enum TrainFrom {
        /// The appliance's own hourly counts.
        Counters = "counters",
        /// Nothing: models come from `platewatch train`, or are copied.
        Off = "off",
    }
}
