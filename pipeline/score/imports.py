"""Imports that exist: the modules a project asks for, against those that Python and the field have."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.metadata import packages_distributions

FIELD = frozenset(
    "absl accelerate albumentations allennlp audiomentations autogluon autokeras bs4 catboost category_encoders "
    "chainer cntk cuml cupy cv2 datasets dask deepface diffusers dill easydict efficientnet einops emoji "
    "evaluate face_recognition fastai faiss flask flax folium fsspec gast gdown gensim geopandas google googleapiclient "
    "gradio gym gymnasium h5py hdbscan huggingface_hub hyperopt imageio imageio_ffmpeg imblearn imgaug implicit imutils "
    "IPython ipywidgets jax jaxlib jieba joblib kaggle kaggle_datasets kaggle_secrets keras keras_applications keras_core "
    "keras_contrib keras_cv keras_hub keras_nlp keras_preprocessing keras_retinanet keras_self_attention keras_tuner "
    "keras_unet_collection keras_vggface kerastuner kornia langdetect librosa lightfm lightgbm lime lxml madgrad "
    "matplotlib medpy missingno mlxtend monai mplfinance mtcnn music21 mxnet nibabel nilearn nltk noisereduce numba numpy "
    "onnx onnxruntime openai openpyxl optuna orbax paddle pandas pandas_datareader patchify patoolib peft PIL "
    "pkg_resources plotly pmdarima polars prettytable progressbar prophet psutil py7zr pyarrow pycaret pycocotools "
    "pydicom pydot pydub pylab pyspark pytesseract python_speech_features pytorch_lightning pytz qkeras rasterio ray "
    "recommenders regex requests rouge rouge_score sacrebleu scikitplot scipy seaborn segmentation_models "
    "segmentation_models_pytorch sentence_transformers sentencepiece seqeval shap SimpleITK simpletransformers skimage "
    "sklearn skmultilearn snowballstemmer sounddevice soundfile spacy split_folders splitfolders statsmodels streamlit "
    "surprise sympy tabulate tensorboard tensorboardX tensorflow tensorflow_addons tensorflow_datasets "
    "tensorflow_decision_forests tensorflow_hub tensorflow_io tensorflow_model_optimization tensorflow_probability "
    "tensorflow_recommenders tensorflow_text tensorly termcolor textblob textstat tflearn tifffile tiktoken timm "
    "tokenizers toolz torch torch_geometric torchaudio torchinfo torchmetrics torchsummary torchtext torchvision tqdm "
    "transformers tslearn ultralytics umap underthesea unidecode visualkeras wandb wget wordcloud xgboost yaml "
    "yellowbrick yfinance yolov5".split()
)
"""Top-level names of packages that deep-learning notebooks import, as they are on PyPI or preinstalled on Kaggle and
Colab. A name outside of it that is not installed here either counts as unknown; a helper file of one's own does too."""


def unknown_imports(tree: ast.Module) -> tuple[str, ...]:
    """Top-level names of imported modules that neither Python, nor this environment, nor FIELD has; sorted, each once.
    Relative imports count by their first name: a project of one file has no neighbours."""
    known = _installed()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {name.partition(".")[0] for name in names}
    return tuple(sorted(found - known))


@cache
def _installed() -> frozenset[str]:
    return FIELD | sys.stdlib_module_names | frozenset(packages_distributions())
