"""Words by which a problem is told where none names it: verbs of asking, and what is asked for."""

from __future__ import annotations

CLEANS = frozenset(
    "remove removes removing clean cleans cleaning cleaned take takes filter get gets rid strip strips erase repair "
    "repairs fix fixes wash undo".split()
)
DIRT = frozenset(
    "noise hum hiss scratches dust rain fog haze blur reverb echo artifacts artefacts stains smoke snow shadows "
    "watermarks clicks crackle spots glare reflections grain scratch watermark mold mould stripes banding ghosting "
    "bleed-through hisses pops static wind wires logos stain creases folds cracks moiré".split()
)
SPOILED = frozenset(
    "blurry blurred noisy grainy dirty damaged faded scratched torn stained foggy hazy dark underexposed shaky "
    "distorted corrupted degraded hissing crackling muffled yellowed broken incomplete "
    "cracked chipped bent dented leaking worn rotten rusty loose misprinted warped missing".split()
)
"""How things are before they are restored: "turn blurry shots into sharp ones"."""
SMALL = frozenset("pixelated low-res low-resolution small coarse tiny lowres".split())
PICTURED = frozenset(
    "painting paintings watercolor watercolors cartoon cartoons comic comics sketch sketches woodcut woodcuts drawing "
    "drawings engraving engravings mosaic mosaics etching etchings anime manga pencil oil impressionist lithograph "
    "lithographs linocut linocuts caricature caricatures winter summer night stained-glass".split()
)
"""What photos become by a transfer of style: "turn photos into woodcuts"."""
TURNS = frozenset(
    "turn turns turning convert converts converting transform transforms change changes make makes".split()
)
GAPS = frozenset("gap gaps hole holes blank blanks void voids dropouts outages missing lacunae".split())
FILLS = frozenset("fill fills filling bridge bridges bridging complete completes completing patch".split())

PREDICTS = frozenset(
    "predict predicts predicting prediction predictions predictor vorhersagen vorhersage vorhersagt voraussagen "
    "predecir predicción predice predecirá prédire prédiction prédit prever predizer predição prevê prevedere "
    "predire 预测 予測 предсказать предсказывать предсказывает предсказание 예측 infer infers guess guesses guessing "
    "model estimate estimates estimating gauge gauges assess assesses calculate calculates derive score scores "
    "rate rates grade grades output outputs predicted regresses suggest suggests suggesting".split()
)
"""Behind these stands an amount or a category."""
DETECTS = frozenset(
    "detect detects detecting detected spot spots spotting find finds finding tell tells telling determine determines "
    "say says saying decide decides deciding guess guesses see sees know knows recognise recognize recognized "
    "recognizes identify identifies hear hears notice notices flag flags catch catches figure learn learns check "
    "checks judge judges establish name names pick picks predict predicts predicting label labels mark marks tag tags "
    "understand discover diagnose wonder "
    "erkennen erkennt erkannt bestimmen bestimmt entscheiden entscheidet sagen sagt feststellen unterscheiden "
    "vorhersagen prüfen herausfinden wissen "
    "detectar detecta reconocer decidir decir saber determinar identificar diga predecir "
    "détecter détecte reconnaître décider dire savoir déterminer identifier dise prédire "
    "reconhecer dizer identificar prever adivinhar riconoscere decidere dire sapere determinare identificare "
    "определить определять определяет узнать распознать предсказать".split()
)
"""Behind these stands a question that is answered by a category: "tell which", "erkennen, ob"."""
WHETHER = frozenset("whether if ob si se ли 是否".split())
WHICH = frozenset(
    "which welche welcher welches welchen welchem quelle quel quels cuál cuáles qué qual quais quale".split()
)
WHAT_KIND = frozenset(
    "kind kinds type types sort sorts class category species breed variety make model brand genre style group "
    "stage state one".split()
)
HOW = frozenset(
    "many much old long full big large heavy high tall deep fast far expensive hot warm dense loud strong cold wet "
    "dry bright dark thick wide ripe fresh tired salty sweet sour hard soft likely often good bad difficult steep "
    "busy crowded polluted acidic close late early rough smooth quickly severe painful popular".split()
)
"""Behind "how": an amount."""
OF_LIKELIHOOD = frozenset(("likely",))

AMOUNTS = frozenset(
    "grade grades price prices cost costs age ages weight weights yield salary salaries income consumption strength "
    "duration power angle angles amount amounts revenue rent rents charges score scores rating speed height heights "
    "distance distances load loads emission emissions lifetime lifespan value values number count counts time times "
    "percentage concentration concentrations temperature temperatures demand sales volume mileage mpg quality energy "
    "output usage usd humidity level levels delay delays fare fares bmi hours minutes days euros dollars rul "
    "solubility wage wages earnings profit profits turnover spend spending expense expenses width length depth depths "
    "diameter diameters size area mass density pressure pressures stars points coordinates thickness hardness "
    "viscosity content calories kwh mm kg cm seconds km litres liters tons tonnes "
    "porosity pitch frequency moisture ph acidity brix sugar alcohol salinity turbidity wear roughness stiffness "
    "tension torque current voltage resistance capacity soh soc wavelength throughput latency altitude elevation "
    "latitude longitude tilt orientation velocity acceleration dose dosage bpm rate rates heartrate pulse glucose "
    "cholesterol hba1c biomass carbon nitrogen phosphorus protein fat fiber canopy population headcount attendance "
    "visitors turnout votes percentile ratio proportion fraction share coverage year years date eta wait waiting tip "
    "tips premium premiums fee fees bill fine tax budget worth bid gross upvotes likes views shares downloads "
    "popularity engagement readability difficulty intensity magnitude elasticity affinity potency ic50 conductivity "
    "bandgap rainfall snowfall discharge flow irradiance ozone aqi noise decibels brightness redshift period "
    "luminosity total totals sum average mean gpa result-in margin spread swell tide production generation "
    "throughput occupancy utilization distance-to remaining degradation displacement deformation deflection stress "
    "strain porosity permeability abundance biomass efficiency potential coefficient index "
    "precio precios preço preços prix preis preise prezzi prezzo edad âge idade alter valor valeur wert gewicht peso "
    "poids dauer duración durée duração menge cantidad quantité quantidade temperatur temperatura température "
    "verbrauch consumo consommation 价格 房价 価格 цены цену цена температуру возраст вес".split()
)
CATEGORIES = frozenset(
    "class classes category categories genre genres type types species label labels kind kinds brand sentiment gender "
    "sex outcome outcomes winner winners diagnosis intent intents emotion emotions topic topics department language "
    "breed variety cultivar stage group mood moods style decade century author artist composer material disease "
    "diseases defect defects state color nationality country dialect accent risk tag tags queue team role position-of "
    "cuisine occasion season condition status phase posture pose gesture gestures activity "
    "activities action actions instrument instruments chord chords key rhythm maker manufacturer vintage "
    "denomination era epoch movement script alphabet tongue genus family caste habitat soil rock mineral terrain "
    "surface region origin provenance damage fault faults cause reason symptom injury lesion pathology subtype "
    "priority urgency severity sarcasm polarity stance winner-of speaker speakers singer bird song-type dish "
    "crop weed tree flower sign signs digit digits letter letters word-spoken command commands "
    "klasse art sorte clase especie tipo raza classe espèce type espécie тип вид класс".split()
)
SORTS = frozenset(
    "sort sorts sorting sorted assign assigns split divide divides put puts separate separates separating route routes "
    "einsortieren sortieren sortiert zuordnen einteilen separar separarlas separarlos "
    "clasificarlas clasificarlos ordenar trier répartir".split()
)
INTO = frozenset("into by to in as : ( nach en dans em".split())

ASKS = frozenset("is are will does do did was were has would can could should".split())
"""A question that begins so is answered by yes or no, or by one of several."""
ASKS_THE_READER = frozenset(
    "you it there anyone anybody somebody someone we i this that he she they also please not".split()
)
"""Behind these it is a question to the reader, not to the model: "can you ...", "is it possible ..."."""
AMOUNT_VERBS = frozenset(("rate", "score", "count", "estimate", "grade", "gauge"))
SPENDS = frozenset("spend cost pay earn weigh sell consume owe need use produce yield last take be".split())
AHEAD = frozenset(
    "tomorrow tonight next coming upcoming morgen nächste nächsten kommenden mañana "
    "próximo próxima demain prochain prochaine amanhã domani завтра".split()
)
NEGATES = frozenset("not nicht no pas não non".split())
OR = frozenset("or oder o ou y/n".split())

MAKES = frozenset(
    "make makes making write writes writing create creates creating draw draws drawing compose composes composing "
    "continue continues continuing invent invents paint paints produce produces dream imagine design designs craft "
    "improvise improvises extend schreiben schreibt erfinden escribir escriba écrire écrit escrever escreva scrivere "
    "сочинять писать fake new novel more".split()
)
"""What makes something new: "writes sea shanties", "fake marble textures"."""
MADE = frozenset(
    "model network script program code function cnn lstm it this that sure mlp net notebook me us a the".split()
)
"""What is made by the reader, not by the model: "make a model", "write a CNN"."""
FINDS = frozenset(
    "detect detects detecting detection find finds finding spot spots spotting locate locates look looks count counts "
    "counting track detector box boxes draw mark marks annotate localise localize erkennen finden detectar encontrar "
    "localizar détecter trouver localiser rilevare trovare".split()
)
OUTLINES = frozenset(
    "outline outlines outlined outlining trace traces tracing delineate mark marks marked mask masks masking map maps "
    "mapping separate separates cut label labels color extract isolate highlight find detect".split()
)
STRANGE = frozenset(
    "weird strange odd suspicious unfamiliar peculiar funny wrong unexpected atypical irregular faulty defective "
    "abnormal misbehaving rogue tampered".split()
)
UNFITTING = frozenset("fit belong match conform".split())
RANKS = frozenset("rank ranks ranking order sort prioritise prioritize propose proposes offer".split())
FOR_WHOM = frozenset(
    "each every user users customer customers reader readers member members visitor visitors listener listeners "
    "guest guests person viewer viewers player players student students shopper shoppers".split()
)
SHORTENS = frozenset("boil boils boiling cut cuts bring compress squeeze reduce shrink distil distill".split())
EXTRACTS = frozenset(
    "extract extracts extracting pull pulls pick picks lift find finds tag tags label labels mark marks".split()
)
READS_OUT = frozenset(
    "read reads reading decipher deciphers transcribe transcribes digitise digitize liest lesen "
    "entziffern lire leer ler".split()
)

AGENTS = frozenset("agent controller bot policy".split())
COLORS = frozenset("see give bring put want turn make restore".split())
BEGINS_QUESTION = ASKS | AMOUNT_VERBS | {"what", "which"}
EACH = frozenset(("each", "every"))
STEPS = frozenset(
    "frame frames token tokens word words step steps residue residues base bases character characters letter letters "
    "timestep second position syllable note beat".split()
)
"""What a sequence consists of, and what is tagged one by one."""
GETS = frozenset("gets get has have receives needs carries must should is to".split())
LABELS = frozenset("label labels tag tags class classes labeled tagged".split())
DESCRIBES = frozenset("describe describes describing".split())
SEARCHES = frozenset("search searches searching lookup retrieve retrieves".split())
TELLS_APART = frozenset("tell tells telling separate separates separating distinguish distinguishes".split())
FILTERS = frozenset(("filter", "detector", "spotter", "screener"))
NAMES = frozenset("names entities mentions terms spans phrases entity".split())
"""What is found in texts word by word."""
