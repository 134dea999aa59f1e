//! `platewatch import-model`: makes a model folder of a pipeline that Spark saved.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::failure::Usage;
use crate::predict::{Imported, import, save};

/// Arguments of `import-model`.
#[derive(Debug, Args)]
pub struct ImportModelArgs {
    /// The folder that PipelineModel.save wrote: StringIndexer of KKMC, VectorAssembler, LinearRegression
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Where the model is written; `serve` serves the folder of predict.model_dir
    #[arg(long, value_name = "DIR", default_value = "traffic_flow_model")]
    model_dir: PathBuf,
}

/// Imports, and says what to `out`.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &ImportModelArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let is_same = args.folder.canonicalize().is_ok_and(|from| args.model_dir.canonicalize().is_ok_and(|to| to == from));
    if is_same {
        let folder = args.folder.display();
        return Err(Usage(format!(
            "{folder} would be written into itself: set predict.model_dir to it, which serves it as it is, or name another --model-dir"
        ))
        .into());
    }
    let Imported { trained, origin, saved_at, label, features } =
        import(&args.folder).map_err(|error| Usage(error.to_string()))?;
    let metadata = save(&args.model_dir, &trained, origin, saved_at)?;
    let [index, hour, weekend] = metadata.spark.coefficients;
    writeln!(
        out,
        "{} from {}: {} checkpoints, {index} index + {hour} hour + {weekend} is_weekend + {}: version {} in {}",
        metadata.kind.as_str(),
        metadata.trained_from.path,
        metadata.checkpoints,
        metadata.spark.intercept,
        metadata.version,
        args.model_dir.display()
    )?;
    // A pipeline of something else has the same shape.
    writeln!(
        out,
        "it predicts the column {} from {}: whatever that counts is shown as passages in an hour",
        label.as_deref().unwrap_or("label"),
        features.join(", ")
    )?;
    Ok(())
}
